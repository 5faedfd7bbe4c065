/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor/vmm_api.h"

#include "daemon/core.h"
#include "daemon/monitor/monitor.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

int vmm_request(struct shell *s, const char *socket, const char *method, const char *target,
	const char *body, unsigned timeout_ms,
	void (*done)(void *shell, const struct httpc_response *response), struct httpc_call **call)
{
	static const char *const json[] = {"Content-Type: application/json", NULL};
	char url[96];

	snprintf(url, sizeof(url), "http://localhost%s", target);
	return httpc_start(s->core->httpc,
		&(struct httpc_request){.method = method,
			.url = url,
			.unix_path = socket,
			.headers = body ? json : NULL,
			.body = body,
			.len = body ? strlen(body) : 0,
			.timeout_ms = timeout_ms,
			.done = done,
			.arg = s},
		call);
}

bool vmm_is_good(const struct httpc_response *response)
{
	return response->status == 200 || response->status == 204;
}

/* What the machine lacks is told apart from what is wrong. */
static int host_errno(json_int_t code)
{
	switch (code) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ENOSPC;
	case ENOMEM:
	case EAGAIN:
	case EMFILE:
	case ENFILE:
		return ENOMEM;
	default:
		return EIO;
	}
}

void vmm_fault(const struct httpc_response *response, struct err *err)
{
	_cleanup_json_ json_t *root = NULL;
	const char *message = NULL;
	json_int_t code;

	if (response->status &&
		jsonx_parse_object(response->body, response->len, 4, &root, NULL) == 0)
		message = json_string_value(json_object_get(root, "fault_message"));
	code = json_integer_value(json_object_get(root, "errno"));
	if (message)
		err_set(err, host_errno(code), "the monitor says: %s", message);
	else if (response->status)
		err_set(err, EIO, "the monitor answered with status %d", response->status);
	else
		err_set(err, EIO, "the monitor does not answer: %s", response->error);
}
