/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls with a few names, on both sides; the results must be the same, whatever they are. */
#include "tests/unit/libos/fs/random_names.h"

#include "libos/uapi/fs.h"
#include "tests/unit/libos/fs/both.h"
#include "tests/unit/libos/fs/nr.h"

#include <string.h>

static const char *const names[] = {"a", "b", "c", "d", "e", "a/", "d/", "d/a", "d/b", "d/e",
	"d/e/f", "d/e/f/", "a/b", ".", "..", "d/.", "d/..", "d/../a", "d/./b", "./", "e/..", "e/a",
	"e/f/g", "x/y", "", "l", "l/", "l/a", "m", "m/b", "l/../b", "d//a", "d/e/..", "../tmpx",
	"d/e/."};
#define NAMES (sizeof(names) / sizeof(names[0]))

static uint32_t seed = 12345;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static uint64_t name(void)
{
	return STR(names[rnd(NAMES)]);
}

static void random_open(void)
{
	static const unsigned flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT,
		O_WRONLY | O_CREAT | O_EXCL, O_RDONLY | O_DIRECTORY, O_RDWR | O_TRUNC,
		O_WRONLY | O_CREAT | O_TRUNC, O_RDONLY | O_NOFOLLOW, O_PATH, O_PATH | O_NOFOLLOW,
		O_RDWR | O_CREAT | O_NOFOLLOW, O_RDONLY | O_CREAT, O_WRONLY | O_APPEND | O_CREAT,
		O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, O_PATH | O_DIRECTORY};
	unsigned f = flags[rnd(sizeof(flags) / sizeof(flags[0]))] | O_NONBLOCK;

	if (both_fd(0, NR_open, name(), f, 0666) < 0)
		return;
	both(NR_fstat, FD(0), BUF(0));
	both_same_stat();
	both(NR_write, FD(0), STR("0123456789abcdef"), rnd(17));
	memset(host_buf, 0, 64);
	memset(libos_buf, 0, 64);
	both(NR_read, FD(0), BUF(0), 64);
	both_same(64);
	both(NR_close, FD(0));
}

static void random_step(void)
{
	static const unsigned how[] = {0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE,
		RENAME_EXCHANGE | RENAME_NOREPLACE};

	switch (rnd(16)) {
	case 0:
		both(NR_mkdir, name(), 0777);
		break;
	case 1:
		both(NR_rmdir, name());
		break;
	case 2:
		both(NR_unlink, name());
		break;
	case 3:
	case 4:
		both(NR_rename, name(), name());
		break;
	case 5:
		both(NR_renameat2, (uint64_t)AT_FDCWD, name(), (uint64_t)AT_FDCWD, name(),
			how[rnd(6)]);
		break;
	case 6:
		both(NR_link, name(), name());
		break;
	case 7:
		both(NR_symlink, name(), name());
		break;
	case 8:
		memset(host_buf, 0, 64);
		memset(libos_buf, 0, 64);
		both(NR_readlink, name(), BUF(0), 5 + rnd(30));
		both_same(64);
		break;
	case 9:
		if (both(NR_stat, name(), BUF(0)) == 0)
			both_same_stat();
		break;
	case 10:
		if (both(NR_lstat, name(), BUF(0)) == 0)
			both_same_stat();
		break;
	case 11:
		both(NR_truncate, name(), rnd(9000));
		break;
	case 12:
		both(NR_mknod, name(), rnd(2) ? S_IFIFO | 0644 : S_IFREG | 0600, 0);
		break;
	case 13:
		both(NR_access, name(), rnd(9));
		both(NR_chmod, name(), 0400 | rnd(0777));
		break;
	default:
		random_open();
	}
}

void random_names(int steps)
{
	for (int i = 0; i < steps; i++)
		random_step();
}
