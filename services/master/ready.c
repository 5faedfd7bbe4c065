/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /task/{id}/ready: "true" when the task is finished, else "false"; 404 when there is none. What old clients poll. With ?wait=SECONDS (at
 * most db's 60) the answer comes when the task is finished or dead, else after that time. It comes at once from a db that knows no waiting, and
 * when so many wait already that db's connections would be theirs: a client asks again in any case.
 */
#include "services/master/master.h"

#include "lib/jsonx.h"

#include <string.h>

#define WAITS_MAX 64
#define JSON      "application/json; charset=utf-8"

struct ready {
	struct relay relay; /* first */
	bool waits;         /* is in m->ready_waits */
	struct ready *prev, *next;
};

static void ready_end(struct relay *relay)
{
	struct ready *r = (struct ready *)relay;
	struct master *m = relay->m;

	if (!r->waits)
		return;
	if (r->prev)
		r->prev->next = r->next;
	else
		m->ready_waits = r->next;
	if (r->next)
		r->next->prev = r->prev;
	m->ready_count--;
}

static void wait_begin(struct ready *r)
{
	struct master *m = r->relay.m;

	r->waits = true;
	r->next = m->ready_waits;
	if (r->next)
		r->next->prev = r;
	m->ready_waits = r;
	m->ready_count++;
}

void ready_drain(struct master *m)
{
	/* An answer may free what it answers, not the others. */
	for (struct ready *r = m->ready_waits, *next; r; r = next) {
		next = r->next;
		httpd_reply(r->relay.req, 200, JSON, "false", 5);
	}
}

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
	httpd_reply(r->req, 200, JSON, text, strlen(text));
}

void on_is_ready(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id"), *wait = httpd_query(req, "wait");
	struct master *m = master_of(req);
	bool waits = wait && master_id_good(wait) && !httpd_is_head(req) && !m->s->draining &&
		m->ready_count < WAITS_MAX;
	struct ready *r;
	char path[64];

	if (!master_id_good(id)) {
		httpd_reply(req, 404, NULL, NULL, 0);
		return;
	}
	r = relay_new(req, sizeof(*r), ready_end);
	if (!r)
		return;
	if (waits)
		wait_begin(r);
	snprintf(path, sizeof(path), "/task/%s%s%s", id, waits ? "?wait=" : "", waits ? wait : "");
	relay_ask(&r->relay,
		(struct upstream_request){.key = MASTER_DB,
			.path = path,
			.idempotent = true,
			.waits = waits,
			.http = {.timeout_ms = waits ? MASTER_WAIT_MS : MASTER_CALL_MS},
			.done = on_state});
}
