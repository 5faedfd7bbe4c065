/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses filtered rows for a PNG, each piece with no more effort than it is worth: the network is near, the processor dear. What has
 * next to no redundancy among its bytes (noise) is stored; the more there is, the more is looked for: runs, then repetitions.
 */
#ifndef SERVICES_WORKER_PNG_PACK_H
#define SERVICES_WORKER_PNG_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

struct png_pack {
	z_stream z; /* deflateEnd() is the owner's, also after a failure */
	int level, strategy;
	void (*out)(void *arg, const uint8_t *data, size_t len); /* may leave by longjmp */
	void *arg;
};

/* 0 or -ENOMEM. */
int png_pack_begin(struct png_pack *pack);
/* All of it; in pieces of at most 64 KiB to out(). */
void png_pack_all(struct png_pack *pack, const uint8_t *data, size_t len);

#endif
