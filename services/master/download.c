/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /task/{id}/download: the result, else the input, or what ?kind= says. With several storages pictures lie where they could be stored, in an
 * order that follows from the task's number:
 *
 *   FIRST: the preferred one --it is the only one, or has the result, or what was asked for--> answered
 *     |
 *     | not there, failed, or only an input where another may have the result
 *     v
 *   RESULT: the next ones, one after the other --found--> answered
 *     |
 *     | nobody has it
 *     v
 *   INPUT: all, one after the other --found, or none left--> answered as the last one did
 */
#include "services/master/master.h"

#include <string.h>

#define DOWNLOADS_MAX 32 /* each is held in memory while it passes */

struct download {
	struct relay relay; /* first: a download is one */
	char id[MASTER_ID_BYTES];
	const char *kind; /* asked for; NULL: the result, else the input */
	size_t skip;      /* storages of the task's order that have been asked in this round */
	enum { FIND_FIRST, FIND_RESULT, FIND_INPUT } find;
};

static void ask(struct download *d);

static void download_end(struct relay *r)
{
	r->m->downloads--;
	service_worked(r->m->s);
}

/* One storage: its answer is the answer. */
static bool is_answer(const struct download *d, const struct httpc_response *resp, size_t instances)
{
	const char *kind = resp->code == 0 ? httpc_header(resp, "X-Kind") : NULL;
	bool have = resp->code == 0 && resp->status != 404 && resp->status < 500;
	bool other_may_have_result =
		d->find == FIND_FIRST && !d->kind && kind && strcmp(kind, "input") == 0;

	return instances <= 1 || (have && !other_may_have_result);
}

/* Goes on to the next storage, or to the next round. False: nobody has it. */
static bool next(struct download *d, size_t instances)
{
	if (d->find == FIND_FIRST)
		d->find = d->kind && strcmp(d->kind, "input") == 0 ? FIND_INPUT : FIND_RESULT;
	if (++d->skip < instances)
		return true;
	if (d->find == FIND_INPUT || d->kind)
		return false;
	d->find = FIND_INPUT;
	d->skip = 0;
	return true;
}

static void on_downloaded(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct download *d = arg;

	d->relay.call = NULL;
	if (is_answer(d, resp, instances) || !next(d, instances))
		relay_answer(&d->relay, resp);
	else
		ask(d);
}

static void ask(struct download *d)
{
	static const char *const kinds[] = {[FIND_RESULT] = "result", [FIND_INPUT] = "input"};
	const char *kind = d->find == FIND_FIRST ? d->kind : kinds[d->find];
	struct httpd_req *req = d->relay.req;
	const char *headers[3] = {NULL};
	char path[64], range[128], match[160];
	size_t n = 0;

	if (master_pass_header(req, "Range", range, sizeof(range)))
		headers[n++] = range;
	if (master_pass_header(req, "If-None-Match", match, sizeof(match)))
		headers[n++] = match;
	snprintf(path, sizeof(path), "/download/%s%s%s", d->id, kind ? "?kind=" : "",
		kind ? kind : "");
	relay_ask(&d->relay,
		(struct upstream_request){.key = MASTER_STORAGE,
			.path = path,
			.rank = d->id,
			.skip = d->skip,
			.idempotent = true,
			.http = {.method = httpd_method(req),
				.headers = headers,
				.timeout_ms = MASTER_CALL_MS,
				.max_bytes =
					d->relay.m->budget.max_image_bytes + IMAGE_FORM_OVERHEAD},
			.done = on_downloaded});
}

void on_download(struct httpd_req *req)
{
	struct master *m = master_of(req);
	const char *id = httpd_param(req, "id"), *kind = httpd_query(req, "kind");
	struct download *d;

	if (!master_id_good(id)) {
		httpd_reply(req, 404, MASTER_HTML, "Image not found", 15);
		return;
	}
	if (kind && strcmp(kind, "input") != 0 && strcmp(kind, "result") != 0) {
		httpd_reply(req, 400, MASTER_HTML, "kind must be input or result", 28);
		return;
	}
	if (m->downloads >= DOWNLOADS_MAX) {
		httpd_add_header(req, "Retry-After", "1");
		httpd_reply(req, 503, MASTER_HTML, "Too many downloads at a time", 28);
		return;
	}
	d = relay_new(req, sizeof(*d), download_end);
	if (!d)
		return;
	m->downloads++;
	d->kind = kind;
	snprintf(d->id, sizeof(d->id), "%s", id);
	ask(d);
}
