/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/registry.h"

#include "lib/httpc.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define KEYS_MAX     8
#define KEY_BYTES    64
#define CACHE_NS     (5 * NS_PER_S)
#define CALL_MS      2000
#define RETRY_NS     NS_PER_S
#define LEAVE_MS     500
#define ANSWER_BYTES (64 * KIB)

struct registry_wait {
	registry_fn *fn;
	void *arg;
	struct registry_wait **prevp, *next;
};

struct entry {
	struct registry *reg;
	char key[KEY_BYTES];
	struct endpoints list;
	int64_t fetched_ns; /* 0: never */
	bool fixed;
	struct httpc_call *call; /* under way */
	struct registry_wait *waits;
};

struct registry {
	struct loop *loop;
	struct httpc *http;
	struct endpoint address;
	bool has_address;
	size_t count;
	struct entry entry[KEYS_MAX];
};

struct registrar {
	struct registry *reg;
	char key[KEY_BYTES], value[ENDPOINT_BYTES];
	char body[ENDPOINT_BYTES + 64];
	struct loop_timer *timer;
	struct httpc_call *call;
	bool registered, leaving;
	void (*fn)(void *arg);
	void *arg;
};

int registry_new(struct loop *loop, struct httpc *http, const struct endpoint *address,
	struct registry **out)
{
	struct registry *reg = calloc(1, sizeof(*reg));

	if (!reg)
		return -ENOMEM;
	reg->loop = loop;
	reg->http = http;
	if (address) {
		reg->address = *address;
		reg->has_address = true;
	}
	*out = reg;
	return 0;
}

void registry_cancel(struct registry_wait *wait)
{
	if (!wait)
		return;
	*wait->prevp = wait->next;
	if (wait->next)
		wait->next->prevp = wait->prevp;
	free(wait);
}

void registry_free(struct registry *reg)
{
	if (!reg)
		return;
	for (size_t i = 0; i < reg->count; i++) {
		httpc_cancel(reg->entry[i].call);
		while (reg->entry[i].waits)
			registry_cancel(reg->entry[i].waits);
	}
	free(reg);
}

static struct entry *find(struct registry *reg, const char *key)
{
	size_t len = strlen(key);
	struct entry *e;

	for (size_t i = 0; i < reg->count; i++) {
		if (strcmp(reg->entry[i].key, key) == 0)
			return &reg->entry[i];
	}
	if (reg->count == KEYS_MAX || len >= KEY_BYTES)
		return NULL;
	e = &reg->entry[reg->count++];
	e->reg = reg;
	memcpy(e->key, key, len + 1);
	return e;
}

int registry_set(struct registry *reg, const char *key, const struct endpoint *endpoint)
{
	struct entry *e = find(reg, key);

	if (!e)
		return -ENOSPC;
	e->fixed = true;
	e->list.count = 1;
	e->list.item[0] = *endpoint;
	return 0;
}

static void add(struct endpoints *list, const char *text)
{
	if (list->count < ENDPOINTS_MAX &&
		endpoint_parse(text, &list->item[list->count], NULL) == 0)
		list->count++;
}

void registry_parse(const char *type, const char *body, size_t len, struct endpoints *list)
{
	_cleanup_json_ json_t *json = NULL;
	char text[ENDPOINT_BYTES + 8];
	json_t *values, *v;
	size_t i;

	list->count = 0;
	if (type && strncasecmp(type, "application/json", 16) == 0) {
		if (jsonx_parse_object(body, len, 4, &json, NULL) < 0)
			return;
		values = json_object_get(json, "values");
		json_array_foreach(values, i, v)
		{
			if (json_is_string(v))
				add(list, json_string_value(v));
		}
	} else if (len < sizeof(text) && !memchr(body, '\0', len)) {
		memcpy(text, body, len);
		text[len] = '\0';
		add(list, text);
	}
}

static void tell(struct entry *e)
{
	struct registry_wait *waits = steal_ptr(&e->waits);

	/* fn may start and cancel other lookups: the list is taken over first, and each is unlinked before its call. */
	if (waits)
		waits->prevp = &waits;
	while (waits) {
		struct registry_wait *w = waits;
		registry_fn *fn = w->fn;
		void *arg = w->arg;

		registry_cancel(w);
		fn(arg, &e->list);
	}
}

static void on_answer(void *arg, const struct httpc_response *resp)
{
	struct entry *e = arg;

	e->call = NULL;
	if (resp->code == 0 && (resp->status == 200 || resp->status == 404)) {
		e->list.count = 0;
		if (resp->status == 200)
			registry_parse(httpc_header(resp, "Content-Type"), resp->body, resp->len,
				&e->list);
		e->fetched_ns = loop_now_ns();
	}
	tell(e);
}

static int fetch(struct entry *e)
{
	struct httpc_request q = {
		.timeout_ms = CALL_MS, .max_bytes = ANSWER_BYTES, .done = on_answer, .arg = e};
	char url[ENDPOINT_BYTES + KEY_BYTES + 32];

	if (e->call)
		return 0;
	snprintf(url, sizeof(url), "http://%s/%s?all=1", e->reg->address.text, e->key);
	q.url = url;
	return httpc_start(e->reg->http, &q, &e->call);
}

int registry_get(struct registry *reg, const char *key, bool fresh, registry_fn *fn, void *arg,
	struct registry_wait **out)
{
	struct entry *e = find(reg, key);
	struct registry_wait *w;
	int r;

	*out = NULL;
	if (!e)
		return -ENOSPC;
	if (e->fixed || !reg->has_address ||
		(!fresh && e->list.count && loop_now_ns() - e->fetched_ns < CACHE_NS)) {
		fn(arg, &e->list);
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct registry_wait){.fn = fn, .arg = arg, .prevp = &e->waits, .next = e->waits};
	if (w->next)
		w->next->prevp = &w->next;
	e->waits = w;
	r = fetch(e);
	if (r < 0) {
		registry_cancel(w);
		return r;
	}
	*out = w;
	return 0;
}

/* --- registration ------------------------------------------------------------------------------------------------- */
static void left(struct registrar *r)
{
	void (*fn)(void *) = steal_ptr(&r->fn);

	if (fn)
		fn(r->arg);
}

static void on_registered(void *arg, const struct httpc_response *resp)
{
	struct registrar *r = arg;
	bool ok = resp->code == 0 && resp->status == 200;
	bool news = ok != r->registered;

	r->call = NULL;
	if (r->leaving) {
		left(r);
		return;
	}
	r->registered = ok;
	if (news && ok)
		log_info("registered", "key=%s value=%s registry=%s", r->key, r->value,
			r->reg->address.text);
	else if (news)
		log_warn("registry does not answer", "key=%s registry=%s status=%d error=\"%s\"",
			r->key, r->reg->address.text, resp->status, resp->error);
	loop_timer_set(r->timer, ok ? REGISTRY_TTL_S * NS_PER_S / 3 : RETRY_NS);
	if (ok)
		left(r);
}

static void call(struct registrar *r, const char *method, unsigned int timeout_ms)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	char url[ENDPOINT_BYTES + KEY_BYTES + 32];
	struct httpc_request q = {.method = method,
		.url = url,
		.headers = headers,
		.body = r->body,
		.len = strlen(r->body),
		.timeout_ms = timeout_ms,
		.connect_timeout_ms = timeout_ms,
		.max_bytes = ANSWER_BYTES,
		.done = on_registered,
		.arg = r};

	snprintf(url, sizeof(url), "http://%s/%s", r->reg->address.text, r->key);
	if (httpc_start(r->reg->http, &q, &r->call) < 0)
		loop_timer_set(r->timer, RETRY_NS);
}

static void on_beat(void *arg)
{
	struct registrar *r = arg;

	if (r->leaving)
		left(r);
	else
		call(r, "POST", CALL_MS);
}

int registrar_new(struct registry *reg, const char *key, const char *value,
	void (*first)(void *arg), void *arg, struct registrar **out)
{
	struct registrar *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct registrar){.reg = reg, .fn = first, .arg = arg};
	snprintf(r->key, sizeof(r->key), "%s", key);
	snprintf(r->value, sizeof(r->value), "%s", value);
	snprintf(r->body, sizeof(r->body), "{\"value\":\"%s\",\"ttl\":%d}", value, REGISTRY_TTL_S);
	if (loop_timer_new(reg->loop, on_beat, r, &r->timer) < 0) {
		free(r);
		return -ENOMEM;
	}
	loop_timer_set(r->timer, 0);
	*out = r;
	return 0;
}

void registrar_leave(struct registrar *r, void (*done)(void *arg), void *arg)
{
	httpc_cancel(steal_ptr(&r->call));
	loop_timer_cancel(r->timer);
	r->leaving = true;
	r->fn = done;
	r->arg = arg;
	if (r->registered)
		call(r, "DELETE", LEAVE_MS);
	if (!r->call)
		loop_timer_set(r->timer, 0);
}

void registrar_free(struct registrar *r)
{
	if (!r)
		return;
	httpc_cancel(r->call);
	loop_timer_free(r->timer);
	free(r);
}
