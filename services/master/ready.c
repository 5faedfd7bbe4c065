/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /task/{id}/ready: "true" when the task is finished, else "false"; 404 when there is none. What old clients poll.
 */
#include "services/master/master.h"

#include "lib/jsonx.h"

#include <string.h>

static void on_state(void *arg, const struct httpc_response *resp, size_t instances)
{
	_cleanup_json_ json_t *json = NULL;
	struct relay *r = arg;
	int64_t state;
	const char *text;

	(void)instances;
	r->call = NULL;
	if (resp->code < 0) {
		relay_failed(r, resp);
		return;
	}
	if (resp->status == 404) {
		httpd_reply(r->req, 404, NULL, NULL, 0);
		return;
	}
	if (resp->status != 200 || jsonx_parse_object(resp->body, resp->len, 4, &json, NULL) < 0 ||
		jsonx_int(json, "state", -10, 10, &state, NULL) < 0) {
		httpd_reply(r->req, 502, MASTER_HTML, "Error: db does not answer as it should", 38);
		return;
	}
	text = state == 2 ? "true" : "false";
	httpd_reply(r->req, 200, "application/json; charset=utf-8", text, strlen(text));
}

void on_is_ready(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id");
	struct relay *r;
	char path[48];

	if (!master_id_good(id)) {
		httpd_reply(req, 404, NULL, NULL, 0);
		return;
	}
	r = relay_new(req, sizeof(*r), NULL);
	if (!r)
		return;
	snprintf(path, sizeof(path), "/task/%s", id);
	relay_ask(r,
		(struct upstream_request){.key = MASTER_DB,
			.path = path,
			.idempotent = true,
			.http = {.timeout_ms = MASTER_CALL_MS},
			.done = on_state});
}
