/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvstore by HTTP. Ours lists all living instances of a kind (?all=1, JSON) and knows a time to live; the original ignores both, keeps
 * the first value for ever and answers it as text: both are understood.
 */
#include "services/common/registry_backend.h"
#include "services/common/registry_parse.h"

#include "lib/httpc.h"

#include <errno.h>
#include <string.h>

struct registry_op {
	struct httpc_call *call;
	registry_done *done;
	void *arg;
	char body[REGISTRY_VALUE_BYTES + 64];
};

static void finish(struct registry_op *op, const struct registry_result *result)
{
	registry_done *done = op->done;
	void *arg = op->arg;

	free(op);
	done(arg, result);
}

static void on_answer(void *arg, const struct httpc_response *resp, bool listing)
{
	struct registry_op *op = arg;
	struct endpoints list = {0};
	struct registry_result result = {
		.code = resp->code, .why = resp->error, .list = listing ? &list : NULL};
	char why[64];

	if (resp->code == 0 && resp->status != 200 && !(listing && resp->status == 404)) {
		snprintf(why, sizeof(why), "status %d", resp->status);
		result.code = -EPROTO;
		result.why = why;
	}
	if (listing && result.code == 0 && resp->status == 200)
		registry_parse(httpc_header(resp, "Content-Type"), resp->body, resp->len, &list);
	finish(op, &result);
}

static void on_list(void *arg, const struct httpc_response *resp)
{
	on_answer(arg, resp, true);
}

static void on_done(void *arg, const struct httpc_response *resp)
{
	on_answer(arg, resp, false);
}

static int start(const struct registry_call *call, const char *method, const char *key,
	const char *query, struct registry_op *op)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	char url[ENDPOINT_BYTES + REGISTRY_KEY_BYTES + 32];
	struct httpc_request q = {.method = method,
		.url = url,
		.headers = op->body[0] ? headers : NULL,
		.body = op->body,
		.len = strlen(op->body),
		.timeout_ms = call->timeout_ms,
		.connect_timeout_ms = call->timeout_ms,
		.max_bytes = REGISTRY_ANSWER_BYTES,
		.done = op->body[0] ? on_done : on_list,
		.arg = op};

	op->done = call->done;
	op->arg = call->arg;
	snprintf(url, sizeof(url), "http://%s/%s%s", call->at->text, key, query);
	return httpc_start(call->http, &q, &op->call);
}

static int ask(const struct registry_call *call, const char *method, const char *key,
	const struct registry_claim *claim, struct registry_op **out)
{
	struct registry_op *op = calloc(1, sizeof(*op));
	int r;

	if (!op)
		return -ENOMEM;
	if (claim)
		snprintf(op->body, sizeof(op->body), "{\"value\":\"%s\",\"ttl\":%d}", claim->value,
			claim->ttl_s);
	r = start(call, method, key, claim ? "" : "?all=1", op);
	if (r < 0)
		free(op);
	else
		*out = op;
	return r;
}

static int kv_list(const struct registry_call *call, const char *key, struct registry_op **op)
{
	return ask(call, "GET", key, NULL, op);
}

static int kv_keep(
	const struct registry_call *call, struct registry_claim *claim, struct registry_op **op)
{
	return ask(call, "POST", claim->key, claim, op);
}

static int kv_drop(
	const struct registry_call *call, struct registry_claim *claim, struct registry_op **op)
{
	return ask(call, "DELETE", claim->key, claim, op);
}

static void kv_cancel(struct registry_op *op)
{
	if (op)
		httpc_cancel(op->call);
	free(op);
}

const struct registry_backend registry_kvstore = {
	.list = kv_list, .keep = kv_keep, .drop = kv_drop, .cancel = kv_cancel};
