/* SPDX-License-Identifier: Apache-2.0 */
/* The image reader on images that are broken: on purpose in one place each, and at random. ASan watches the image's ends. */
#include "libos/fs/erofs.h"
#include "libos/klib/errno.h"
#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/erofs_walk.h"
#include "tests/unit/libos/fs/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SUPER 1024

static char *good;
static size_t bytes;

int rmdir(const char *path);

static int setup(void **state)
{
	char cmd[600];

	snprintf(cmd, sizeof(cmd),
		"d=$(mktemp -d /tmp/uig-erofs-XXXXXX) && echo $d > /tmp/uig-erofs-dir.%p && cd $d "
		"&& mkdir -p a/b many && head -c 9000 /bin/sh > a/file "
		"&& echo hello > a/b/small && ln -s a/file link && for i in $(seq 300); do : > "
		"many/name-$i; done",
		(void *)state);
	assert_int_equal(system(cmd), 0);
	char dir[64] = "", path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/uig-erofs-dir.%p", (void *)state);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%63s", dir), 1);
	fclose(f);
	remove(path);
	good = image_make(dir, "", &bytes);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static char *copy(void)
{
	char *p = malloc(bytes); /* exact: the byte behind it is poisoned */

	return memcpy(p, good, bytes);
}

static void put32(char *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static void test_super(void **state)
{
	struct erofs fs;
	char *p = copy();

	assert_int_equal(erofs_open(&fs, p, bytes), 0);
	assert_int_equal(erofs_open(&fs, p, 0), -EINVAL);
	assert_int_equal(erofs_open(&fs, p, 4095), -EINVAL);
	assert_int_equal(erofs_open(&fs, p, bytes - 4096), -EINVAL); /* cut off */
	p[SUPER] ^= 1;
	assert_int_equal(erofs_open(&fs, p, bytes), -EINVAL);
	p[SUPER] ^= 1;
	p[SUPER + 12] = 13; /* other blocks */
	assert_int_equal(erofs_open(&fs, p, bytes), -EINVAL);
	p[SUPER + 12] = 12;
	for (unsigned bit = 0; bit < 32;
		bit++) { /* features that are not here, compression first */
		put32(p + SUPER + 80, 1u << bit);
		assert_int_equal(erofs_open(&fs, p, bytes), bit == 0 || bit == 2 ? 0 : -EINVAL);
	}
	put32(p + SUPER + 80, 0);
	put32(p + SUPER + 40, 0xffffffff); /* inodes beyond the end */
	assert_int_equal(erofs_open(&fs, p, bytes), -EINVAL);
	free(p);
}

static void test_nodes(void **state)
{
	struct erofs_inode inode;
	struct erofs fs;
	char *p = copy(), *root;

	assert_int_equal(erofs_open(&fs, p, bytes), 0);
	assert_int_equal(erofs_inode(&fs, UINT64_MAX, &inode), -EUCLEAN);
	assert_int_equal(erofs_inode(&fs, UINT64_MAX / 32 + 1, &inode), -EUCLEAN);
	assert_int_equal(erofs_inode(&fs, (bytes - fs.meta) / 32, &inode), -EUCLEAN);
	assert_int_equal(erofs_inode(&fs, fs.root_nid, &inode), 0);
	assert_int_equal(inode.mode & S_IFMT, S_IFDIR);
	root = p + fs.meta + fs.root_nid * 32;
	put32(root + 8, 0x7fffffff); /* size */
	assert_int_equal(erofs_inode(&fs, fs.root_nid, &inode), -EUCLEAN);
	put32(root + 8, 4096 - 10); /* a tail that crosses its block */
	assert_int_equal(erofs_inode(&fs, fs.root_nid, &inode), -EUCLEAN);
	root[0] = (char)((root[0] & 1) | 1 << 1); /* compressed */
	assert_int_equal(erofs_inode(&fs, fs.root_nid, &inode), -EOPNOTSUPP);
	free(p);
}

static uint64_t lookup(struct erofs *fs, uint64_t dir, const char *name)
{
	struct erofs_inode inode;
	uint64_t nid;

	assert_int_equal(erofs_inode(fs, dir, &inode), 0);
	assert_int_equal(erofs_lookup(fs, &inode, name, (unsigned)strlen(name), &nid), 0);
	return nid;
}

static void test_directory(void **state)
{
	struct erofs_inode inode;
	struct erofs_entry e;
	struct erofs fs;
	char *p = copy(), *block;
	uint64_t nid, off, n;
	const uint8_t *data;

	assert_int_equal(erofs_open(&fs, p, bytes), 0);
	nid = lookup(&fs, fs.root_nid, "many");
	assert_int_equal(erofs_inode(&fs, nid, &inode), 0);
	assert_int_equal(erofs_lookup(&fs, &inode, "name-301", 8, &n), -ENOENT);
	assert_int_equal(erofs_lookup(&fs, &inode, "name-1", 5, &n), -ENOENT);
	assert_int_equal(erofs_lookup(&fs, &inode, "", 0, &n), -ENOENT);
	assert_int_equal(erofs_data(&fs, &inode, 0, &data, &n), 0);
	off = (uint64_t)(data - (const uint8_t *)p);
	block = p + off;
	for (unsigned bad = 0; bad < 5; bad++) {
		static const uint16_t first[] = {0, 7, 13, 65535, 4096};
		uint16_t keep;

		memcpy(&keep, block + 8, 2);
		memcpy(block + 8, &first[bad], 2);
		assert_int_equal(erofs_readdir(&fs, &inode, 0, &e), -EUCLEAN);
		assert_int_equal(erofs_lookup(&fs, &inode, "name-1", 6, &n), -EUCLEAN);
		memcpy(block + 8, &keep, 2);
	}
	block[12 * 2 + 8] = 1; /* the third name begins in the entries */
	block[12 * 2 + 9] = 0;
	assert_int_equal(erofs_readdir(&fs, &inode, 2, &e), -EUCLEAN);
	/* positions that no call gave */
	assert_true(erofs_readdir(&fs, &inode, UINT64_MAX, &e) <= 0);
	assert_true(erofs_readdir(&fs, &inode, 4095, &e) <= 1);
	free(p);
}

static void test_names_with_slashes(void **state)
{
	struct erofs_inode inode;
	struct erofs_entry e;
	struct erofs fs;
	char *p = copy(), *name;

	assert_int_equal(erofs_open(&fs, p, bytes), 0);
	assert_int_equal(erofs_inode(&fs, fs.root_nid, &inode), 0);
	assert_int_equal(erofs_readdir(&fs, &inode, 0, &e), 1);
	name = p + (e.name - p);
	name[0] = '/';
	assert_int_equal(erofs_readdir(&fs, &inode, 0, &e), -EUCLEAN);
	name[0] = 0;
	assert_int_equal(erofs_readdir(&fs, &inode, 0, &e), -EUCLEAN);
	free(p);
}

static void test_random(void **state)
{
	uint32_t seed = 4711;

	assert_int_not_equal(erofs_walk(good, bytes), 0);
	for (int i = 0; i < 3000; i++) {
		char *p = copy();

		for (int k = 0; k < 1 + i % 40; k++) {
			size_t at = (seed = seed * 1664525u + 1013904223u) >> 4;

			at = i % 2 ? at % bytes : SUPER + at % 9000 % (bytes - SUPER);
			p[at] = (char)(seed >> 13);
			if (at < SUPER + 16 && at >= SUPER)
				p[at] = good[at];
		}
		erofs_walk(p, bytes);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_super),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_names_with_slashes),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, setup, NULL) ? 1 : 0;
}
