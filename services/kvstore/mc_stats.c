/* SPDX-License-Identifier: Apache-2.0 */
/* The answers to "stats", "stats settings", "stats reset". There are no slabs: "stats items" and "stats slabs" are empty. */
#include "services/kvstore/mc_session.h"

#include <inttypes.h>
#include <string.h>

struct stat {
	const char *name;
	uint64_t value;
};

static int add(struct buf *out, const struct stat *stat, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = buf_printf(out, "STAT %s %" PRIu64 "\r\n", stat[i].name, stat[i].value);
	return r;
}

static int general(struct mc_shared *sh, struct buf *out)
{
	const struct mc_counts *n = &sh->n;
	struct cache_counts c;
	int r;

	cache_count(sh->cache, &c);
	const struct stat stats[] = {{"pid", (uint64_t)getpid()},
		{"uptime", (uint64_t)((sh->now_ns - sh->start_ns) / NS_PER_S)},
		{"time", (uint64_t)sh->unix_s}, {"pointer_size", sizeof(void *) * 8},
		{"max_connections", sh->connections_max}, {"curr_connections", n->curr_connections},
		{"total_connections", n->total_connections},
		{"rejected_connections", n->rejected_connections}, {"idle_kicks", n->idle_kicks},
		{"cmd_get", n->cmd_get}, {"cmd_set", n->cmd_set}, {"cmd_flush", n->cmd_flush},
		{"cmd_touch", n->cmd_touch}, {"get_hits", n->get_hits},
		{"get_misses", n->get_misses}, {"delete_misses", n->delete_misses},
		{"delete_hits", n->delete_hits}, {"incr_misses", n->incr_misses},
		{"incr_hits", n->incr_hits}, {"decr_misses", n->decr_misses},
		{"decr_hits", n->decr_hits}, {"cas_misses", n->cas_misses},
		{"cas_hits", n->cas_hits}, {"cas_badval", n->cas_badval},
		{"touch_hits", n->touch_hits}, {"touch_misses", n->touch_misses},
		{"bytes_read", n->bytes_read}, {"bytes_written", n->bytes_written},
		{"limit_maxbytes", cache_limit(sh->cache)}, {"threads", 1},
		{"buffered_bytes", sh->buffered}, {"bytes", c.bytes}, {"curr_items", c.items},
		{"total_items", c.total_items}, {"evictions", c.evictions},
		{"reclaimed", c.reclaimed}};

	r = buf_addstr(out, "STAT version " UIGNITER_VERSION "\r\n");
	return r < 0 ? r : add(out, stats, ARRAY_SIZE(stats));
}

static int settings(const struct mc_shared *sh, struct buf *out)
{
	const struct stat stats[] = {{"maxbytes", cache_limit(sh->cache)},
		{"maxconns", sh->connections_max}, {"item_size_max", sh->item_max},
		{"num_threads", 1}};
	int r = add(out, stats, ARRAY_SIZE(stats));

	return r < 0 ? r : buf_addstr(out, "STAT evictions on\r\nSTAT cas_enabled yes\r\n");
}

static void reset(struct mc_counts *n)
{
	const struct mc_counts old = *n;

	*n = (struct mc_counts){.curr_connections = old.curr_connections};
}

static bool is(const char *what, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(what, name, len) == 0;
}

int mc_stats(struct mc_shared *sh, const char *what, size_t len, struct buf *out)
{
	int r = 0;

	if (!what) {
		r = general(sh, out);
	} else if (is(what, len, "settings")) {
		r = settings(sh, out);
	} else if (is(what, len, "reset")) {
		reset(&sh->n);
		return buf_addstr(out, "RESET\r\n");
	} else if (!is(what, len, "items") && !is(what, len, "slabs")) {
		return buf_addstr(out, MC_ERROR);
	}
	return r < 0 ? r : buf_addstr(out, "END\r\n");
}
