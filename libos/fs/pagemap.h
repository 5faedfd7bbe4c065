/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames of a file by page number: a tree of 64-way nodes that is only as high as the largest page number asks, so that
 * a file of one page costs no node and a sparse file costs what it holds.
 */
#ifndef LIBOS_FS_PAGEMAP_H
#define LIBOS_FS_PAGEMAP_H

#include <stdint.h>

struct pagemap {
	void *root; /* a frame when height is 0, else a node */
	unsigned height;
};

/* The frame, or NULL. */
void *pagemap_get(const struct pagemap *pm, uint64_t index);
/* Puts a frame (the map takes it) where there is none. 0 or -ENOMEM. */
int pagemap_set(struct pagemap *pm, uint64_t index, void *frame);
/* Gives back (page_put) all frames in [from, to); how many there were. */
uint64_t pagemap_drop(struct pagemap *pm, uint64_t from, uint64_t to);
/* The lowest index >= from that has a frame; UINT64_MAX: none. */
uint64_t pagemap_next(const struct pagemap *pm, uint64_t from);

#endif
