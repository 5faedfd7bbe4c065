/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client's talk in memcached's text protocol (doc/protocol.txt of memcached): bytes in, bytes out, no socket.
 *
 *            +--------- end of a line that is not a store --------+
 *            v                                                    |
 *   LINE --"set ..."--> DATA --all bytes--> LINE        LINE -----+
 *     | \--too large--> SWALLOW --all bytes--> LINE
 *     |--"get "--> KEYS --end of line--> LINE            a word too long --> SKIP --end of line--> LINE
 *
 * Bounded whatever the client does: a line, the word of a list of keys, the one item that is being received, and the output, which
 * is not added to above MC_OUT_HIGH_BYTES until it has been taken. What all sessions hold together is bounded by buffer_max.
 *
 * The registry's keys (store.h) can be read here, with flags 0; they are not written, evicted or flushed.
 */
#ifndef SERVICES_KVSTORE_MC_SESSION_H
#define SERVICES_KVSTORE_MC_SESSION_H

#include "lib/buf.h"
#include "services/kvstore/cache.h"
#include "services/kvstore/mc_line.h"

#define MC_OUT_HIGH_BYTES (64 * KIB)

struct store;

struct mc_counts {
	uint64_t cmd_get, cmd_set, cmd_flush, cmd_touch;
	uint64_t get_hits, get_misses, delete_hits, delete_misses;
	uint64_t incr_hits, incr_misses, decr_hits, decr_misses;
	uint64_t cas_hits, cas_misses, cas_badval, touch_hits, touch_misses;
	uint64_t curr_connections, total_connections, rejected_connections, idle_kicks;
	uint64_t bytes_read, bytes_written;
};

/* What all sessions share. The owner sets the times before each call, and frees what it made after the last session. */
struct mc_shared {
	struct cache *cache;
	struct store *store; /* NULL: no registry */
	size_t item_max;     /* bytes of a value */
	size_t buffer_max;   /* bytes that all sessions hold */
	size_t buffered;
	uint64_t connections_max; /* only told */
	int64_t start_ns, now_ns;
	int64_t unix_s;
	struct mc_counts n;
};

enum mc_state { MC_IN_LINE, MC_IN_KEYS, MC_IN_DATA, MC_IN_SWALLOW, MC_IN_SKIP };

struct mc_session {
	struct mc_shared *shared;
	enum mc_state state;
	bool quit;          /* close when out is taken: the client's wish, or no memory */
	struct buf out;     /* what the client is to be sent; its owner is the session */
	size_t sent;        /* bytes of out that are gone */
	size_t charged;     /* of shared->buffered */
	struct mc_cmd cmd;  /* in DATA and KEYS */
	struct item *item;  /* in DATA: being received */
	uint64_t got, left; /* DATA: bytes received; SWALLOW: bytes to come */
	bool has_exptime;
	size_t keys, len;
	char end[2]; /* DATA: what stands where \r\n should */
	char line[MC_LINE_MAX_BYTES];
};

void mc_session_init(struct mc_session *s, struct mc_shared *shared);
void mc_session_fini(struct mc_session *s);
/* Returns how many bytes were used: fewer than len only when quit is set, or when the output must be taken first. */
size_t mc_session_feed(struct mc_session *s, const char *data, size_t len);
/* So many bytes of out, from sent on, are gone. */
void mc_session_sent(struct mc_session *s, size_t len);
/* Output that waits; never so much that a new value does not fit, but see MC_OUT_HIGH_BYTES. */
size_t mc_session_waiting(const struct mc_session *s);

/* Adds the answer to "stats [what]" (mc_stats.c). 0, -ENOMEM. */
int mc_stats(struct mc_shared *shared, const char *what, size_t len, struct buf *out);

#endif
