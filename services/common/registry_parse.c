/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/registry_parse.h"

#include "lib/base64.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define VALUE_BYTES    (ENDPOINT_BYTES + 16)
#define LINE_MAX_BYTES 512

static void add(struct endpoints *list, const char *text)
{
	if (list->count < ENDPOINTS_MAX &&
		endpoint_parse_weighted(text, &list->item[list->count], NULL) == 0)
		list->count++;
}

/* --- kvstore ------------------------------------------------------------------------------------------------------ */
void registry_parse(const char *type, const char *body, size_t len, struct endpoints *list)
{
	_cleanup_json_ json_t *json = NULL;
	char text[VALUE_BYTES];
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

/* --- etcd --------------------------------------------------------------------------------------------------------- */
static void add_base64(struct endpoints *list, const json_t *value)
{
	char text[VALUE_BYTES];
	int n = json_is_string(value) ? base64_decode(json_string_value(value),
						json_string_length(value), text, sizeof(text) - 1)
				      : -EINVAL;

	if (n < 0 || memchr(text, '\0', (size_t)n))
		return;
	text[n] = '\0';
	add(list, text);
}

int etcd_parse_range(const char *body, size_t len, struct endpoints *list)
{
	_cleanup_json_ json_t *json = NULL;
	json_t *kvs, *kv;
	size_t i;

	list->count = 0;
	if (jsonx_parse_object(body, len, 8, &json, NULL) < 0 ||
		!json_is_object(json_object_get(json, "header")))
		return -EPROTO;
	kvs = json_object_get(json, "kvs");
	json_array_foreach(kvs, i, kv)
	{
		add_base64(list, json_object_get(kv, "value"));
	}
	return 0;
}

/* 64-bit numbers are texts in etcd's JSON; those that are 0 are left out. */
static int number(const json_t *json, const char *key, int64_t *out)
{
	const json_t *v = json_object_get(json, key);
	const char *text = json_string_value(v);
	char *end;

	*out = 0;
	if (!v)
		return 0;
	if (!text || !*text || text[strspn(text, "0123456789")])
		return -EPROTO;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno ? -EPROTO : 0;
}

int etcd_parse_lease(const char *body, size_t len, int64_t *id, int64_t *ttl_s)
{
	_cleanup_json_ json_t *json = NULL;
	const json_t *inner;

	/* A stream's first message ends with a line feed, which is white space here. */
	if (jsonx_parse_object(body, len, 8, &json, NULL) < 0)
		return -EPROTO;
	inner = json_object_get(json, "result") ?: json;
	if (!json_is_object(json_object_get(inner, "header")) || number(inner, "ID", id) < 0 ||
		number(inner, "TTL", ttl_s) < 0)
		return -EPROTO;
	return 0;
}

/* --- memcached ---------------------------------------------------------------------------------------------------- */
/* A decimal number and what ends it: a blank, or the end of the line. */
static int take_number(const char **at, const char *end, uint64_t max, uint64_t *out)
{
	const char *p = *at;
	uint64_t n = 0;

	if (p == end || *p < '0' || *p > '9')
		return -EPROTO;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (n > (max - digit) / 10)
			return -EPROTO;
		n = n * 10 + digit;
	}
	if (p < end && *p++ != ' ')
		return -EPROTO;
	*at = p;
	*out = n;
	return 0;
}

/* Which slot of key a name is; -EPROTO: none. */
static int slot_of(const char *key, const char *name, size_t len)
{
	size_t n = strlen(key);
	uint64_t i = 0;
	const char *at = name + n + 1;

	if (len < n || memcmp(name, key, n) != 0)
		return -EPROTO;
	if (len == n)
		return 0;
	if (name[n] != '.' || take_number(&at, name + len, MEMCACHED_SLOTS - 1, &i) < 0 ||
		at != name + len || i == 0)
		return -EPROTO;
	return (int)i;
}

/* "KEY FLAGS BYTES CAS" of a line. Which slot, or -EPROTO. */
static int take_head(
	const char *key, const char *line, const char *end, uint64_t *bytes, uint64_t *cas)
{
	const char *blank = memchr(line, ' ', (size_t)(end - line)), *at;
	uint64_t flags;
	int i = blank ? slot_of(key, line, (size_t)(blank - line)) : -EPROTO;

	if (i < 0)
		return i;
	at = blank + 1;
	if (take_number(&at, end, UINT32_MAX, &flags) < 0 ||
		take_number(&at, end, 64 * KIB, bytes) < 0 ||
		take_number(&at, end, UINT64_MAX, cas) < 0 || at != end)
		return -EPROTO;
	return i;
}

int memcached_parse(const char *key, const char *data, size_t len, struct memcached_slots *slots)
{
	const char *p = data, *end = data + len;

	*slots = (struct memcached_slots){0};
	for (;;) {
		const char *line = p, *nl = memchr(p, '\n', (size_t)(end - p));
		uint64_t bytes, cas;
		int i;

		if (!nl)
			return end - p > LINE_MAX_BYTES ? -EPROTO : -EAGAIN;
		if (nl == line || nl[-1] != '\r')
			return -EPROTO;
		if (nl - line == 4 && memcmp(line, "END", 3) == 0)
			return nl + 1 == end ? 0 : -EPROTO;
		if (nl - line < 7 || memcmp(line, "VALUE ", 6) != 0)
			return -EPROTO;
		i = take_head(key, line + 6, nl - 1, &bytes, &cas);
		if (i < 0 || slots->slot[i].taken)
			return -EPROTO;
		p = nl + 1;
		if ((uint64_t)(end - p) < bytes + 2)
			return -EAGAIN;
		if (memcmp(p + bytes, "\r\n", 2) != 0)
			return -EPROTO;
		slots->slot[i].taken = true;
		slots->slot[i].cas = cas;
		if (bytes < sizeof(slots->slot[i].value) && !memchr(p, '\0', bytes))
			memcpy(slots->slot[i].value, p, bytes);
		p += bytes + 2;
	}
}

void memcached_list(const struct memcached_slots *slots, struct endpoints *list)
{
	list->count = 0;
	for (size_t i = 0; i < MEMCACHED_SLOTS; i++) {
		size_t before = list->count;

		if (!slots->slot[i].taken)
			continue;
		add(list, slots->slot[i].value);
		/* Two places can hold the same for a moment: one that was lost and found again. */
		for (size_t k = 0; k < before && list->count > before; k++) {
			if (strcmp(list->item[k].text, list->item[before].text) == 0)
				list->count = before;
		}
	}
}
