/* SPDX-License-Identifier: Apache-2.0 */
/* See erofs_walk.h. */
#include "tests/unit/libos/fs/erofs_walk.h"

#include "libos/fs/erofs.h"
#include "libos/uapi/fs.h"

#define STEPS_MAX 20000
#define DEPTH_MAX 8

static uint64_t steps, sum;

static void add(const uint8_t *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sum = sum * 31 + p[i];
}

static void walk_data(const struct erofs *fs, const struct erofs_inode *inode)
{
	for (uint64_t off = 0; off < inode->size && steps++ < STEPS_MAX;) {
		const uint8_t *p;
		uint64_t n;

		if (erofs_data(fs, inode, off, &p, &n) < 0 || !n)
			return;
		if (p)
			add(p, n > 65536 ? 65536 : n);
		if (p && n > 65536)
			add(p + n - 1, 1);
		off += n;
	}
}

static void walk_inode(const struct erofs *fs, uint64_t nid, unsigned depth)
{
	struct erofs_entry e = {0};
	struct erofs_inode inode;

	if (steps++ > STEPS_MAX || depth > DEPTH_MAX || erofs_inode(fs, nid, &inode) < 0)
		return;
	if ((inode.mode & S_IFMT) != S_IFDIR) {
		walk_data(fs, &inode);
		return;
	}
	while (steps++ < STEPS_MAX && erofs_readdir(fs, &inode, e.next, &e) == 1) {
		uint64_t found;

		add((const uint8_t *)e.name, e.len);
		if (!erofs_lookup(fs, &inode, e.name, e.len, &found))
			sum += found;
		walk_inode(fs, e.nid, depth + 1);
	}
	erofs_lookup(fs, &inode, "zzz", 3, &nid);
}

uint64_t erofs_walk(const void *image, size_t bytes)
{
	struct erofs fs;

	steps = sum = 0;
	if (erofs_open(&fs, image, bytes) < 0)
		return 0;
	walk_inode(&fs, fs.root_nid, 0);
	return sum;
}
