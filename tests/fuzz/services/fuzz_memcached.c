/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of memcached's text protocol: whatever it sends, in whatever pieces, the answers are the same, and what is held
 * stays within the limits. The first byte says how the bytes are cut. A third talk has so little room that it is refused some.
 */
#include "services/kvstore/mc_session.h"
#include "services/kvstore/store.h"

#include <stdlib.h>
#include <string.h>

#define ITEM_MAX_BYTES 4096
#define MEMORY_BYTES   (64 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* All output in *all; the session's own is taken in pieces of at most `take` bytes. */
static void talk(const char *in, size_t len, size_t cut, size_t take, size_t room, struct buf *all)
{
	struct mc_shared sh = {.item_max = ITEM_MAX_BYTES, .buffer_max = room, .now_ns = NS_PER_S};
	struct cache_counts counts;
	struct mc_session s;

	check(cache_new(MEMORY_BYTES, &sh.cache) == 0 && store_new(&sh.store) == 0);
	check(store_put(sh.store, "reg", "10.0.0.1:1", 0, sh.now_ns) == 0);
	mc_session_init(&s, &sh);
	for (size_t at = 0; at < len && !s.quit;) {
		size_t n = len - at < cut ? len - at : cut;
		size_t used = mc_session_feed(&s, in + at, n);

		check(used <= n && (used == n || s.quit || mc_session_waiting(&s)));
		check(mc_session_waiting(&s) <= MC_OUT_HIGH_BYTES + ITEM_MAX_BYTES + 4096);
		at += used;
		while (mc_session_waiting(&s)) {
			n = mc_session_waiting(&s) < take ? mc_session_waiting(&s) : take;
			check(buf_add(all, s.out.data + s.sent, n) == 0);
			mc_session_sent(&s, n);
		}
		cache_count(sh.cache, &counts);
		check(counts.bytes <= MEMORY_BYTES);
	}
	check(strcmp(store_get(sh.store, "reg", 0, sh.now_ns), "10.0.0.1:1") == 0);
	mc_session_fini(&s);
	check(sh.buffered == 0);
	cache_free(sh.cache);
	store_free(sh.store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0}, pieces = {0}, little = {0};

	if (size < 1)
		return 0;
	const char *in = (const char *)data + 1;

	talk(in, size - 1, SIZE_MAX, SIZE_MAX, MIB, &whole);
	talk(in, size - 1, (size_t)data[0] + 1, 7, MIB, &pieces);
	talk(in, size - 1, 100, 7, 4 * KIB, &little);
	/* "stats" tells of buffers, which differ. */
	if (!memmem(in, size - 1, "stats", 5)) {
		check(whole.len == pieces.len);
		check(!whole.len || memcmp(whole.data, pieces.data, whole.len) == 0);
	}
	buf_fini(&whole);
	buf_fini(&pieces);
	buf_fini(&little);
	return 0;
}
