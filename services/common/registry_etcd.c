/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etcd by the JSON gateway of its v3 API. An instance is the key "uigniter/KIND/ADDRESS" under a lease of its own, so that it is gone
 * when nobody keeps the lease alive; they are listed in the order of their creation.
 *
 *   keep:  lease known? --keepalive--> alive? --yes--> put unless it is there under this lease --> done
 *              |no                       |no                        ^
 *              +------> grant <----------+--------------------------+
 *   drop:  revoke, and with it the key
 *
 * The conditional put writes nothing when nothing has changed: a heartbeat leaves no revision behind.
 */
#include "services/common/registry_backend.h"
#include "services/common/registry_parse.h"

#include "lib/base64.h"
#include "lib/httpc.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PREFIX "uigniter/"

struct registry_op {
	struct registry_call call;
	struct registry_claim *claim;
	struct httpc_call *http;
	struct buf body;
};

static void op_free(struct registry_op *op)
{
	if (!op)
		return;
	httpc_cancel(op->http);
	buf_fini(&op->body);
	free(op);
}

static void finish(struct registry_op *op, int code, const char *why, const struct endpoints *list)
{
	struct registry_result result = {.code = code, .why = why, .list = list};
	registry_done *done = op->call.done;
	void *arg = op->call.arg;

	op->http = NULL;
	op_free(op);
	done(arg, &result);
}

/* Whether the answer is one; else the operation is over. */
static bool is_good(struct registry_op *op, const struct httpc_response *resp)
{
	char why[160];

	op->http = NULL;
	if (resp->code == 0 && resp->status == 200)
		return true;
	if (resp->code == 0)
		snprintf(why, sizeof(why), "etcd: status %d: %.100s", resp->status, resp->body);
	else
		snprintf(why, sizeof(why), "%s", resp->error);
	finish(op, resp->code ?: -EPROTO, why, NULL);
	return false;
}

static int post(struct registry_op *op, const char *path,
	void (*done)(void *, const struct httpc_response *))
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	char url[ENDPOINT_BYTES + 64];
	struct httpc_request q = {.method = "POST",
		.url = url,
		.headers = headers,
		.body = op->body.data,
		.len = op->body.len,
		.timeout_ms = op->call.timeout_ms,
		.connect_timeout_ms = op->call.timeout_ms,
		.max_bytes = REGISTRY_ANSWER_BYTES,
		.done = done,
		.arg = op};

	snprintf(url, sizeof(url), "http://%s/v3/%s", op->call.at->text, path);
	return httpc_start(op->call.http, &q, &op->http);
}

/* A step that follows another: that it can not begin is the end. */
static void next(struct registry_op *op, int built, const char *path,
	void (*done)(void *, const struct httpc_response *))
{
	int r = built < 0 ? built : post(op, path, done);

	if (r < 0)
		finish(op, r, "out of memory", NULL);
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */
static int add_text(struct buf *out, const char *name, const char *text)
{
	int r = buf_printf(out, "\"%s\":\"", name);

	r = r < 0 ? r : base64_add(out, text, strlen(text));
	return r < 0 ? r : buf_addstr(out, "\"");
}

static int put_body(struct registry_op *op)
{
	const struct registry_claim *c = op->claim;
	char key[sizeof(PREFIX) + REGISTRY_KEY_BYTES + REGISTRY_VALUE_BYTES];
	struct buf *b = &op->body;
	int r;

	snprintf(key, sizeof(key), PREFIX "%s/%.*s", c->key, (int)strcspn(c->value, ";"), c->value);
	b->len = 0;
	r = buf_addstr(b, "{\"compare\":[{");
	r = r < 0 ? r : add_text(b, "key", key);
	r = r < 0 ? r
		  : buf_printf(b,
			    ",\"target\":\"LEASE\",\"result\":\"NOT_EQUAL\",\"lease\":\"%" PRId64
			    "\"}],\"success\":[{\"requestPut\":{",
			    c->lease);
	r = r < 0 ? r : add_text(b, "key", key);
	r = r < 0 ? r : buf_addstr(b, ",");
	r = r < 0 ? r : add_text(b, "value", c->value);
	return r < 0 ? r : buf_printf(b, ",\"lease\":\"%" PRId64 "\"}}]}", c->lease);
}

static int lease_body(struct registry_op *op)
{
	op->body.len = 0;
	return buf_printf(&op->body, "{\"ID\":\"%" PRId64 "\"}", op->claim->lease);
}

static int grant_body(struct registry_op *op)
{
	op->body.len = 0;
	return buf_printf(&op->body, "{\"TTL\":\"%d\"}", op->claim->ttl_s);
}

/* All that begins with the prefix: up to the text with its last character one higher ('/' and '0'). */
static int range_body(struct registry_op *op, const char *key)
{
	char from[sizeof(PREFIX) + REGISTRY_KEY_BYTES + 2], to[sizeof(from)];
	struct buf *b = &op->body;
	int r;

	snprintf(from, sizeof(from), PREFIX "%s/", key);
	snprintf(to, sizeof(to), PREFIX "%s0", key);
	r = buf_addstr(b, "{");
	r = r < 0 ? r : add_text(b, "key", from);
	r = r < 0 ? r : buf_addstr(b, ",");
	r = r < 0 ? r : add_text(b, "range_end", to);
	return r < 0 ? r
		     : buf_printf(b,
			       ",\"sort_target\":\"CREATE\",\"sort_order\":\"ASCEND\","
			       "\"limit\":\"%d\"}",
			       ENDPOINTS_MAX);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */
static void on_range(void *arg, const struct httpc_response *resp)
{
	struct registry_op *op = arg;
	struct endpoints list;

	if (!is_good(op, resp))
		return;
	if (etcd_parse_range(resp->body, resp->len, &list) < 0)
		finish(op, -EPROTO, "etcd's answer is not a range", NULL);
	else
		finish(op, 0, "", &list);
}

static void on_done(void *arg, const struct httpc_response *resp)
{
	struct registry_op *op = arg;

	if (is_good(op, resp))
		finish(op, 0, "", NULL);
}

/* One that is gone already is gone. */
static void on_revoked(void *arg, const struct httpc_response *resp)
{
	struct registry_op *op = arg;

	if (resp->code == 0 && resp->status == 404)
		finish(op, 0, "", NULL);
	else
		on_done(arg, resp);
}

static void on_granted(void *arg, const struct httpc_response *resp)
{
	struct registry_op *op = arg;
	int64_t id, ttl_s;

	if (!is_good(op, resp))
		return;
	if (etcd_parse_lease(resp->body, resp->len, &id, &ttl_s) < 0 || !id || !ttl_s) {
		finish(op, -EPROTO, "etcd gave no lease", NULL);
		return;
	}
	op->claim->lease = id;
	next(op, put_body(op), "kv/txn", on_done);
}

static void on_alive(void *arg, const struct httpc_response *resp)
{
	struct registry_op *op = arg;
	int64_t id, ttl_s;

	if (!is_good(op, resp))
		return;
	if (etcd_parse_lease(resp->body, resp->len, &id, &ttl_s) < 0) {
		finish(op, -EPROTO, "etcd's answer is not a lease", NULL);
		return;
	}
	if (ttl_s) {
		next(op, put_body(op), "kv/txn", on_done);
		return;
	}
	op->claim->lease = 0; /* it has run out, or etcd has begun anew */
	next(op, grant_body(op), "lease/grant", on_granted);
}

/* --- operations --------------------------------------------------------------------------------------------------- */
static struct registry_op *op_new(const struct registry_call *call, struct registry_claim *claim)
{
	struct registry_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->call = *call;
	op->claim = claim;
	return op;
}

static int begin(struct registry_op *op, int built, const char *path,
	void (*done)(void *, const struct httpc_response *), struct registry_op **out)
{
	int r = built < 0 ? built : post(op, path, done);

	if (r < 0)
		op_free(op);
	else
		*out = op;
	return r;
}

static int etcd_list(const struct registry_call *call, const char *key, struct registry_op **out)
{
	struct registry_op *op = op_new(call, NULL);

	return op ? begin(op, range_body(op, key), "kv/range", on_range, out) : -ENOMEM;
}

static int etcd_keep(
	const struct registry_call *call, struct registry_claim *claim, struct registry_op **out)
{
	struct registry_op *op = op_new(call, claim);

	if (!op)
		return -ENOMEM;
	return claim->lease ? begin(op, lease_body(op), "lease/keepalive", on_alive, out)
			    : begin(op, grant_body(op), "lease/grant", on_granted, out);
}

static int etcd_drop(
	const struct registry_call *call, struct registry_claim *claim, struct registry_op **out)
{
	struct registry_op *op = op_new(call, claim);

	return op ? begin(op, lease_body(op), "lease/revoke", on_revoked, out) : -ENOMEM;
}

const struct registry_backend registry_etcd = {
	.list = etcd_list, .keep = etcd_keep, .drop = etcd_drop, .cancel = op_free};
