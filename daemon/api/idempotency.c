/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/idempotency.h"

#include "daemon/api/api.h"
#include "daemon/core.h"
#include "daemon/hash.h"
#include "lib/loop.h"

#include <string.h>

#define RETRY_S 1

_Static_assert(IDEMPOTENCY_KEY_BYTES == INSTANCE_KEY_BYTES, "a VM keeps the key that made it");

struct record;

/* A request with a key. */
struct call {
	struct httpd_req *req;
	struct record *record; /* NULL: it owns none and waits for none (any more) */
	uint64_t hash;         /* so far */
	bool waiting;          /* read whole, for the owner's answer */
	struct call *next;     /* of those that have joined the record */
};

struct record {
	struct record *prev, *next; /* the oldest first */
	char key[IDEMPOTENCY_KEY_BYTES];
	uint64_t hash;
	bool hash_known;    /* the owner's request was read whole */
	struct call *owner; /* NULL: answered */
	struct call *joined;
	int64_t made_ns;
	/* The answer. */
	unsigned status;
	char *type, *location, *data; /* owned; type and location may be NULL */
	size_t len;
};

struct idempotency {
	struct record *first, *last;
	unsigned count;
	size_t bytes;
};

/* --- routes ------------------------------------------------------------------------------------------------------ */
static const struct {
	httpd_fn *begin; /* NULL: the guard alone */
	httpd_body_fn *body;
	httpd_fn *handler;
} routes[] = {
	[KEYED_VM_RUN] = {.handler = vm_run},
	[KEYED_IMAGE_POST] = {.handler = image_post},
	[KEYED_IMAGE_BUILD] = {.begin = image_build_begin,
		.body = image_build_body,
		.handler = image_build_done},
	[KEYED_TEMPLATE_POST] = {.handler = template_post},
	[KEYED_VM_SNAPSHOT] = {.handler = vm_snapshot},
};

static bool is_streamed(const struct httpd_req *req)
{
	return routes[httpd_route(req)->tag].body != NULL;
}

static void begin_inside(struct httpd_req *req)
{
	if (routes[httpd_route(req)->tag].begin)
		routes[httpd_route(req)->tag].begin(req);
}

static void handle_inside(struct httpd_req *req)
{
	routes[httpd_route(req)->tag].handler(req);
}

/* --- records ----------------------------------------------------------------------------------------------------- */
static void drop_at(struct call **at)
{
	struct call *c = *at;

	*at = c->next;
	c->record = NULL;
	c->waiting = false;
}

static void call_leave(struct call *c)
{
	struct call **at = &c->record->joined;

	while (*at != c)
		at = &(*at)->next;
	drop_at(at);
}

/* Nobody waits for it; who still sends its request learns it at the end of that. */
static void record_free(struct idempotency *keys, struct record *r)
{
	while (r->joined)
		drop_at(&r->joined);
	*(r->prev ? &r->prev->next : &keys->first) = r->next;
	*(r->next ? &r->next->prev : &keys->last) = r->prev;
	keys->count--;
	keys->bytes -= r->len;
	free(r->type);
	free(r->location);
	free(r->data);
	free(r);
}

static struct record *oldest_answered(const struct idempotency *keys)
{
	struct record *r = keys->first;

	while (r && r->owner)
		r = r->next;
	return r;
}

/* Room for so many more records, and for an answer of so many bytes. */
static bool make_room(struct idempotency *keys, unsigned records, size_t bytes)
{
	struct record *r;

	while (keys->count + records > IDEMPOTENCY_RECORDS ||
		keys->bytes + bytes > IDEMPOTENCY_BYTES) {
		r = oldest_answered(keys);
		if (!r)
			return false;
		record_free(keys, r);
	}
	return true;
}

static struct record *record_find(struct idempotency *keys, const char *key)
{
	struct record *r = keys->first;

	while (r && strcmp(r->key, key) != 0)
		r = r->next;
	if (r && !r->owner && loop_now_ns() - r->made_ns > IDEMPOTENCY_NS) {
		record_free(keys, r);
		return NULL;
	}
	return r;
}

static struct record *record_new(struct idempotency *keys, const char *key, struct call *owner)
{
	struct record *r = make_room(keys, 1, 0) ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return NULL;
	snprintf(r->key, sizeof(r->key), "%s", key);
	r->made_ns = loop_now_ns();
	r->owner = owner;
	owner->record = r;
	r->prev = keys->last;
	*(r->prev ? &r->prev->next : &keys->first) = r;
	keys->last = r;
	keys->count++;
	return r;
}

static bool record_keep(struct idempotency *keys, struct record *r, const char *location,
	const struct httpd_answer *a)
{
	if (a->status < 200 || a->status > 299 || !make_room(keys, 0, a->len))
		return false;
	r->type = a->type ? strdup(a->type) : NULL;
	r->location = location ? strdup(location) : NULL;
	r->data = malloc(a->len + 1);
	if (!r->data || (a->type && !r->type) || (location && !r->location))
		return false;
	if (a->len)
		memcpy(r->data, a->data, a->len);
	r->len = a->len;
	r->status = a->status;
	keys->bytes += r->len;
	return true;
}

void idempotency_forget(struct idempotency *keys, const char *location)
{
	struct record *next;

	for (struct record *r = keys->first; r; r = next) {
		next = r->next;
		if (!r->owner && r->location && strcmp(r->location, location) == 0)
			record_free(keys, r);
	}
}

/* --- answers ----------------------------------------------------------------------------------------------------- */
static void answer_as(struct httpd_req *req, const char *location, const struct httpd_answer *a)
{
	httpd_add_header(req, "Idempotency-Replayed", "true");
	if (location)
		httpd_add_header(req, "Location", location);
	httpd_reply(req, a->status, a->type, a->data, a->len);
}

static void answer_other(struct httpd_req *req)
{
	answer_problem(req, 409, "idempotency_conflict",
		"another request had this " IDEMPOTENCY_HEADER
		": send that one again, or this one with a new key");
}

static void replay(struct call *c)
{
	const struct record *r = c->record;

	if (c->hash != r->hash)
		answer_other(c->req);
	else
		answer_as(c->req, r->location,
			&(struct httpd_answer){.status = r->status,
				.type = r->type,
				.data = r->data,
				.len = r->len});
}

/* The owner has its answer, and so have those that wait for it. */
static void answered(struct httpd_req *req, void *data, const struct httpd_answer *a)
{
	struct call *c = data, *w;
	struct record *r = c->record;
	const char *location = httpd_added_header(req, "Location");

	if (!r || r->owner != c || !r->hash_known)
		return; /* refused before it was read: over() hands the key on */
	c->record = NULL;
	for (;;) {
		for (w = r->joined; w && !w->waiting; w = w->next)
			;
		if (!w)
			break;
		call_leave(w);
		if (w->hash == r->hash)
			answer_as(w->req, location, a);
		else
			answer_other(w->req);
	}
	/* Until here it has an owner, so that it does not make room for itself. */
	if (record_keep(api_keys(req), r, location, a))
		r->owner = NULL;
	else
		record_free(api_keys(req), r);
}

static struct call *next_owner(const struct record *r)
{
	struct call *w = r->joined;

	while (w && (!w->waiting || is_streamed(w->req)))
		w = w->next;
	return w;
}

static void answer_broken_off(struct httpd_req *req)
{
	answer_retry(req, 503, "unavailable", RETRY_S,
		"the request that had this " IDEMPOTENCY_HEADER
		" first was broken off: send this one again");
}

/* The owner is gone without an answer that counts. What it has begun, if anything, goes on (a VM knows its key). */
static void hand_on(struct idempotency *keys, struct record *r)
{
	struct call *w = next_owner(r), *c, *next;

	r->owner = NULL;
	for (c = r->joined; c; c = next) {
		next = c->next;
		if (c == w || !c->waiting)
			continue;
		if (w && c->hash == w->hash)
			continue; /* waits on */
		call_leave(c);
		if (w)
			answer_other(c->req);
		else
			answer_broken_off(c->req);
	}
	if (!w) {
		record_free(keys, r);
		return;
	}
	call_leave(w);
	w->record = r;
	r->owner = w;
	r->hash = w->hash;
	r->hash_known = true;
	if (api_core(w->req)->ending)
		answer_broken_off(w->req);
	else
		handle_inside(w->req);
}

static void over(struct httpd_req *req, void *data)
{
	struct call *c = data;
	struct record *r = c->record;

	if (r && r->owner == c) {
		c->record = NULL;
		hand_on(api_keys(req), r);
	} else if (r) {
		call_leave(c);
	}
	free(c);
}

/* --- the layer --------------------------------------------------------------------------------------------------- */
static const struct httpd_layer layer = {.answered = answered, .over = over};

/* false: the answer has been given. */
static bool take_key(struct httpd_req *req, const char *key)
{
	struct idempotency *keys = api_keys(req);
	struct record *r = record_find(keys, key);
	const char *target = httpd_target(req), *method = httpd_method(req);
	struct call *c = calloc(1, sizeof(*c));

	if (!c) {
		answer_problem(req, 500, "internal", "there is no memory");
		return false;
	}
	c->req = req;
	c->hash = hash_more(hash_bytes(method, strlen(method) + 1), target, strlen(target) + 1);
	httpd_set_layer(req, &layer, c);
	if (r) {
		c->record = r;
		c->next = r->joined;
		r->joined = c;
		return true;
	}
	if (record_new(keys, key, c))
		return true;
	answer_retry(req, 503, "unavailable", RETRY_S,
		"%d requests with an " IDEMPOTENCY_HEADER " are being worked on already",
		IDEMPOTENCY_RECORDS);
	return false;
}

void keyed_begin(struct httpd_req *req)
{
	const char *key = httpd_header(req, IDEMPOTENCY_HEADER);
	const struct call *c;

	api_guard(req);
	if (httpd_status(req))
		return;
	if (key && (!*key || strlen(key) >= IDEMPOTENCY_KEY_BYTES)) {
		answer_problem(req, 400, "bad_request",
			IDEMPOTENCY_HEADER ": 1 to %d characters are wanted",
			IDEMPOTENCY_KEY_BYTES - 1);
		return;
	}
	if (key && !take_key(req, key))
		return;
	c = httpd_layer_data(req);
	if (!c || c->record->owner == c)
		begin_inside(req);
}

int keyed_body(struct httpd_req *req, const void *data, size_t len)
{
	struct call *c = httpd_layer_data(req);
	int r = 0;

	if (!c || (c->record && c->record->owner == c))
		r = routes[httpd_route(req)->tag].body(req, data, len);
	if (c && r >= 0)
		c->hash = hash_more(c->hash, data, len);
	return r;
}

/* The record that it had joined is gone: it makes another one, when its body is still there. */
static void begin_again(struct call *c)
{
	struct idempotency *keys = api_keys(c->req);
	const char *key = httpd_header(c->req, IDEMPOTENCY_HEADER);
	struct record *r =
		is_streamed(c->req) || record_find(keys, key) ? NULL : record_new(keys, key, c);

	if (!r) {
		answer_broken_off(c->req);
		return;
	}
	r->hash = c->hash;
	r->hash_known = true;
	handle_inside(c->req);
}

static void wait_for_owner(struct call *c)
{
	c->waiting = true;
	httpd_defer(c->req, NULL);
}

void keyed_handler(struct httpd_req *req)
{
	struct call *c = httpd_layer_data(req);
	struct record *r = c ? c->record : NULL;
	size_t len;
	const char *body = httpd_body(req, &len);

	if (c && !is_streamed(req))
		c->hash = hash_more(c->hash, body, len);
	if (!c) {
		handle_inside(req);
	} else if (!r) {
		begin_again(c);
	} else if (r->owner == c) {
		r->hash = c->hash;
		r->hash_known = true;
		handle_inside(req);
	} else if (r->hash_known && c->hash != r->hash) {
		answer_other(req);
	} else if (!r->owner) {
		replay(c);
	} else {
		wait_for_owner(c);
	}
}

/* --- life -------------------------------------------------------------------------------------------------------- */
struct idempotency *idempotency_new(void)
{
	return calloc(1, sizeof(struct idempotency));
}

void idempotency_free(struct idempotency *keys)
{
	if (!keys)
		return;
	while (keys->first)
		record_free(keys, keys->first);
	free(keys);
}
