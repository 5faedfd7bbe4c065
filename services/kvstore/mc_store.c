/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of memcached's text protocol do to the table; see mc_session.h. */
#include "services/kvstore/mc_session_impl.h"
#include "services/kvstore/store.h"

#include <inttypes.h>
#include <string.h>

/* doc/protocol.txt of memcached, "Expiration times": above, it is a date. */
#define EXPTIME_RELATIVE_MAX_S (60 * 60 * 24 * 30)
#define EXPTIME_MAX_S          (INT64_C(100) * 366 * 24 * 60 * 60)
#define REGISTERED             "SERVER_ERROR the key is registered by HTTP\r\n"

static int64_t until_of(const struct mc_shared *sh, int64_t exptime)
{
	int64_t in_s = exptime;

	if (!exptime)
		return 0;
	if (exptime > EXPTIME_RELATIVE_MAX_S)
		in_s = exptime - sh->unix_s;
	if (in_s <= 0)
		return sh->now_ns > 0 ? sh->now_ns : 1; /* it has passed */
	return sh->now_ns + (in_s < EXPTIME_MAX_S ? in_s : EXPTIME_MAX_S) * NS_PER_S;
}

/* The value that is registered under a key, or NULL. */
static const char *registered(const struct mc_shared *sh, const char *key, size_t len)
{
	char name[CACHE_KEY_MAX_BYTES + 1];

	if (!sh->store)
		return NULL;
	memcpy(name, key, len);
	name[len] = 0;
	return store_get(sh->store, name, 0, sh->now_ns);
}

static void reply(struct mc_session *s, const struct mc_cmd *cmd, const char *text)
{
	if (!cmd->noreply)
		mc_say(s, text);
}

/* --- store -------------------------------------------------------------------------------------------------------- */
static struct item *old_of(const struct mc_session *s, const struct mc_cmd *cmd)
{
	return cache_get(s->shared->cache, cmd->key, cmd->key_len, s->shared->now_ns);
}

/* Puts the item in the table, or frees it. */
static const char *put(struct mc_session *s, struct item *item)
{
	if (cache_put(s->shared->cache, item, s->shared->now_ns) == 0)
		return "STORED\r\n";
	item_free(item);
	return MC_NO_MEMORY;
}

/* append, prepend: flags and time stay those of the old item. */
static const char *join(struct mc_session *s, struct item *old, struct item *new, bool append)
{
	struct item *item;
	char *value;

	if ((uint64_t)old->size + new->size > s->shared->item_max)
		return "SERVER_ERROR object too large for cache\r\n";
	item = item_new(old->bytes, old->key_len, old->size + new->size);
	if (!item)
		return MC_NO_MEMORY;
	item->flags = old->flags;
	item->until_ns = old->until_ns;
	value = item_value(item);
	memcpy(value + (append ? 0 : new->size), item_value(old), old->size);
	memcpy(value + (append ? old->size : 0), item_value(new), new->size);
	return put(s, item);
}

static const char *check_cas(struct mc_counts *n, const struct mc_cmd *cmd, const struct item *old)
{
	if (!old) {
		n->cas_misses++;
		return "NOT_FOUND\r\n";
	}
	if (old->cas != cmd->number) {
		n->cas_badval++;
		return "EXISTS\r\n";
	}
	n->cas_hits++;
	return NULL;
}

void mc_store(struct mc_session *s)
{
	struct mc_shared *sh = s->shared;
	const struct mc_cmd *cmd = &s->cmd;
	struct item *old;
	const char *why = NULL;

	sh->n.cmd_set++;
	if (registered(sh, cmd->key, cmd->key_len)) {
		if (cmd->verb == MC_ADD)
			reply(s, cmd, "NOT_STORED\r\n");
		else
			mc_say(s, REGISTERED);
		return;
	}
	old = old_of(s, cmd);
	s->item->flags = cmd->flags;
	s->item->until_ns = until_of(sh, cmd->exptime);
	if (cmd->verb == MC_CAS)
		why = check_cas(&sh->n, cmd, old);
	else if (cmd->verb != MC_SET && (cmd->verb == MC_ADD) == (old != NULL))
		why = "NOT_STORED\r\n";
	else if (cmd->verb == MC_APPEND || cmd->verb == MC_PREPEND)
		why = join(s, old, s->item, cmd->verb == MC_APPEND);
	reply(s, cmd, why ?: put(s, steal_ptr(&s->item)));
}

void mc_refused(struct mc_session *s)
{
	const struct mc_cmd *cmd = &s->cmd;

	if (cmd->verb == MC_SET)
		cache_remove(s->shared->cache, cmd->key, cmd->key_len, s->shared->now_ns);
}

/* --- read --------------------------------------------------------------------------------------------------------- */
static const char *say_value(struct mc_session *s, const char *key, size_t key_len,
	const char *value, size_t size, uint32_t flags, uint64_t cas)
{
	bool with_cas = s->cmd.verb == MC_GETS || s->cmd.verb == MC_GATS;
	char head[64];

	if (!mc_fits(s, size))
		return "SERVER_ERROR out of memory writing get response\r\n";
	mc_say(s, "VALUE ");
	mc_say_bytes(s, key, key_len);
	snprintf(head, sizeof(head), " %" PRIu32 " %zu", flags, size);
	mc_say(s, head);
	snprintf(head, sizeof(head), " %" PRIu64, cas);
	if (with_cas)
		mc_say(s, head);
	mc_say(s, "\r\n");
	mc_say_bytes(s, value, size);
	mc_say(s, "\r\n");
	return NULL;
}

const char *mc_get(struct mc_session *s, const char *key, size_t len)
{
	struct mc_shared *sh = s->shared;
	bool touch = s->cmd.verb == MC_GAT || s->cmd.verb == MC_GATS;
	const char *value = registered(sh, key, len);
	struct item *item = value ? NULL : cache_get(sh->cache, key, len, sh->now_ns);
	bool hit = value || item;

	sh->n.cmd_get++;
	*(hit ? &sh->n.get_hits : &sh->n.get_misses) += 1;
	if (touch) {
		sh->n.cmd_touch++;
		*(hit ? &sh->n.touch_hits : &sh->n.touch_misses) += 1;
	}
	if (value) /* its time is the holder's: gat leaves it */
		return say_value(s, key, len, value, strlen(value), 0, 0);
	if (!item)
		return NULL;
	if (touch)
		item->until_ns = until_of(sh, s->cmd.exptime);
	return say_value(s, key, len, item_value(item), item->size, item->flags, item->cas);
}

/* --- commands without data ---------------------------------------------------------------------------------------- */
/* An item with the number's digits in the place of old; then the answer is the digits. */
static void count_to(
	struct mc_session *s, const struct mc_cmd *cmd, struct item *old, uint64_t number)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%" PRIu64 "\r\n", number);
	struct item *item = item_new(old->bytes, old->key_len, (uint32_t)len - 2);

	if (!item) {
		mc_say(s, MC_NO_MEMORY);
		return;
	}
	memcpy(item_value(item), text, item->size);
	item->flags = old->flags;
	item->until_ns = old->until_ns;
	if (cache_put(s->shared->cache, item, s->shared->now_ns) == 0) {
		reply(s, cmd, text);
		return;
	}
	item_free(item);
	mc_say(s, MC_NO_MEMORY);
}

static void run_delta(struct mc_session *s, const struct mc_cmd *cmd)
{
	struct mc_counts *n = &s->shared->n;
	bool incr = cmd->verb == MC_INCR;
	struct item *old = old_of(s, cmd);
	uint64_t number;

	if (!old) {
		*(incr ? &n->incr_misses : &n->decr_misses) += 1;
		reply(s, cmd, "NOT_FOUND\r\n");
		return;
	}
	if (!mc_parse_u64(item_value(old), old->size, UINT64_MAX, &number)) {
		mc_say(s, "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n");
		return;
	}
	*(incr ? &n->incr_hits : &n->decr_hits) += 1;
	if (incr)
		number += cmd->number; /* wraps around, as the protocol has it */
	else
		number = number > cmd->number ? number - cmd->number : 0;
	count_to(s, cmd, old, number);
}

static void run_touch(struct mc_session *s, const struct mc_cmd *cmd)
{
	struct mc_counts *n = &s->shared->n;
	struct item *item = old_of(s, cmd);

	n->cmd_touch++;
	*(item ? &n->touch_hits : &n->touch_misses) += 1;
	if (item)
		item->until_ns = until_of(s->shared, cmd->exptime);
	reply(s, cmd, item ? "TOUCHED\r\n" : "NOT_FOUND\r\n");
}

static void run_delete(struct mc_session *s, const struct mc_cmd *cmd)
{
	struct mc_counts *n = &s->shared->n;
	bool hit = cache_remove(s->shared->cache, cmd->key, cmd->key_len, s->shared->now_ns);

	*(hit ? &n->delete_hits : &n->delete_misses) += 1;
	reply(s, cmd, hit ? "DELETED\r\n" : "NOT_FOUND\r\n");
}

static void run_flush(struct mc_session *s, const struct mc_cmd *cmd)
{
	struct mc_shared *sh = s->shared;
	int64_t at = cmd->exptime > 0 ? until_of(sh, cmd->exptime) : sh->now_ns;

	sh->n.cmd_flush++;
	cache_flush(sh->cache, at, sh->now_ns);
	reply(s, cmd, "OK\r\n");
}

static void run_keyed(struct mc_session *s, const struct mc_cmd *cmd)
{
	if (registered(s->shared, cmd->key, cmd->key_len))
		mc_say(s, REGISTERED);
	else if (cmd->verb == MC_TOUCH)
		run_touch(s, cmd);
	else if (cmd->verb == MC_DELETE)
		run_delete(s, cmd);
	else
		run_delta(s, cmd);
}

void mc_run(struct mc_session *s, const struct mc_cmd *cmd)
{
	switch ((int)cmd->verb) {
	case MC_INCR:
	case MC_DECR:
	case MC_TOUCH:
	case MC_DELETE:
		run_keyed(s, cmd);
		break;
	case MC_FLUSH_ALL:
		run_flush(s, cmd);
		break;
	case MC_STATS:
		if (mc_stats(s->shared, cmd->key, cmd->key_len, &s->out) < 0)
			s->quit = true;
		mc_say(s, "");
		break;
	case MC_VERSION:
		mc_say(s, "VERSION " UIGNITER_VERSION "\r\n");
		break;
	case MC_VERBOSITY: /* the log's level is MICRO_LOG */
		reply(s, cmd, "OK\r\n");
		break;
	case MC_QUIT:
		s->quit = true;
		break;
	}
}
