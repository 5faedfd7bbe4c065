/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of fixed size with chains. What has run out is dropped when its key is touched, or when space is short. */
#include "services/kvstore/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256 /* a power of two; registries hold tens of keys */

struct value {
	int64_t until_ns; /* 0: for ever */
	char *text;
};

struct key {
	struct key *next;
	size_t count;
	struct value value[STORE_VALUES_MAX];
	char name[];
};

struct store {
	struct key *bucket[BUCKETS];
	size_t keys, bytes;
};

int store_new(struct store **out)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*out = s;
	return 0;
}

static size_t cost(const char *text)
{
	return strlen(text) + 1;
}

static size_t key_cost(const struct key *k)
{
	return sizeof(*k) + cost(k->name);
}

static void drop_value(struct store *s, struct key *k, size_t i)
{
	s->bytes -= cost(k->value[i].text);
	free(k->value[i].text);
	k->count--;
	memmove(&k->value[i], &k->value[i + 1], (k->count - i) * sizeof(k->value[0]));
}

/* Removes what has run out; frees the key with its last value. Returns the key or NULL. */
static struct key *prune(struct store *s, struct key **link, int64_t now)
{
	struct key *k = *link;

	for (size_t i = k->count; i-- > 0;) {
		if (k->value[i].until_ns && k->value[i].until_ns <= now)
			drop_value(s, k, i);
	}
	if (k->count)
		return k;
	*link = k->next;
	s->keys--;
	s->bytes -= key_cost(k);
	free(k);
	return NULL;
}

static struct key **find(struct store *s, const char *name)
{
	uint32_t h = 2166136261u;
	struct key **link;

	for (const char *p = name; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	for (link = &s->bucket[(h ^ h >> 16) % BUCKETS]; *link; link = &(*link)->next) {
		if (strcmp((*link)->name, name) == 0)
			break;
	}
	return link;
}

static void prune_all(struct store *s, int64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct key **link = &s->bucket[i];

		while (*link) {
			if (prune(s, link, now))
				link = &(*link)->next;
		}
	}
}

void store_free(struct store *s)
{
	if (!s)
		return;
	prune_all(s, 0);
	for (size_t i = 0; i < BUCKETS; i++) {
		while (s->bucket[i]) {
			struct key *k = s->bucket[i];

			while (k->count)
				drop_value(s, k, k->count - 1);
			s->bucket[i] = k->next;
			free(k);
		}
	}
	free(s);
}

static struct key *add_key(struct store *s, struct key **link, const char *name)
{
	size_t bytes = cost(name);
	struct key *k;

	if (s->keys >= STORE_KEYS_MAX)
		return NULL;
	k = calloc(1, sizeof(*k) + bytes);
	if (!k)
		return NULL;
	memcpy(k->name, name, bytes);
	*link = k;
	s->keys++;
	s->bytes += key_cost(k);
	return k;
}

static int add_value(struct store *s, struct key *k, const char *value, int64_t until)
{
	char *text;

	if (k->count == STORE_VALUES_MAX)
		return -ENOSPC;
	text = strdup(value);
	if (!text)
		return -ENOMEM;
	k->value[k->count++] = (struct value){.until_ns = until, .text = text};
	s->bytes += cost(text);
	return 0;
}

static bool full(const struct store *s, const char *name, const char *value)
{
	return s->keys >= STORE_KEYS_MAX ||
		s->bytes + sizeof(struct key) + cost(name) + cost(value) > STORE_TOTAL_MAX_BYTES;
}

int store_put(struct store *s, const char *name, const char *value, int64_t ttl_ns, int64_t now)
{
	struct key **link, *k;
	int64_t until = ttl_ns ? now + ttl_ns : 0;
	int r;

	if (strlen(name) > STORE_KEY_MAX_BYTES || strlen(value) > STORE_VALUE_MAX_BYTES)
		return -EMSGSIZE;
	if (full(s, name, value))
		prune_all(s, now);
	link = find(s, name);
	k = *link ? prune(s, link, now) : NULL;
	if (k) {
		if (!ttl_ns || !k->value[0].until_ns)
			return 0; /* the first write wins */
		for (size_t i = 0; i < k->count; i++) {
			if (strcmp(k->value[i].text, value) == 0) {
				k->value[i].until_ns = until;
				return 0;
			}
		}
	}
	if (full(s, name, value) && !(k && s->bytes + cost(value) <= STORE_TOTAL_MAX_BYTES))
		return -ENOSPC;
	/* prune() may have freed the key that link stood on: look again. */
	if (!k)
		k = add_key(s, find(s, name), name);
	if (!k)
		return -ENOMEM;
	r = add_value(s, k, value, until);
	if (!k->count)
		prune(s, find(s, name), now);
	return r;
}

const char *store_get(struct store *s, const char *name, size_t index, int64_t now)
{
	struct key **link = find(s, name);
	struct key *k = *link ? prune(s, link, now) : NULL;

	return k && index < k->count ? k->value[index].text : NULL;
}

bool store_remove(struct store *s, const char *name, const char *value, int64_t now)
{
	struct key **link = find(s, name);
	struct key *k = *link ? prune(s, link, now) : NULL;

	for (size_t i = 0; k && i < k->count; i++) {
		if (!k->value[i].until_ns || strcmp(k->value[i].text, value) != 0)
			continue;
		drop_value(s, k, i);
		prune(s, link, now);
		return true;
	}
	return false;
}

void store_count(struct store *s, int64_t now, size_t *keys, size_t *bytes)
{
	prune_all(s, now);
	*keys = s->keys;
	*bytes = s->bytes;
}
