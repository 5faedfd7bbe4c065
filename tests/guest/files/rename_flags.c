/* SPDX-License-Identifier: Apache-2.0 */
/* renameat2: flags alone and together, same file, folders into themselves. */
#include "tests/guest/guest.h"

#define NOREPLACE 1u
#define EXCHANGE  2u

int main(void)
{
	NEED(mkdir("dir", 0700) == 0 && mkdir("dir/in", 0700) == 0 && mkdir("empty", 0700) == 0 &&
		close(open("a", O_CREAT | O_RDWR, 0600)) == 0 && link("a", "same") == 0 &&
		close(open("b", O_CREAT | O_RDWR, 0600)) == 0);
	RAW(renameat2, AT_FDCWD, "a", AT_FDCWD, "b", NOREPLACE);
	RAW(renameat2, AT_FDCWD, "a", AT_FDCWD, "c", NOREPLACE);
	RAW(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", NOREPLACE | EXCHANGE);
	RAW(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 8);
	RAW(renameat2, AT_FDCWD, "c", AT_FDCWD, "none", EXCHANGE);
	RAW(renameat2, AT_FDCWD, "c", AT_FDCWD, "same", 0);
	SHOW(access("c", F_OK));
	RAW(renameat2, AT_FDCWD, "dir", AT_FDCWD, "dir/in/x", 0);
	RAW(renameat2, AT_FDCWD, "dir/in", AT_FDCWD, "dir", 0);
	RAW(renameat2, AT_FDCWD, "empty", AT_FDCWD, "dir", 0);
	RAW(renameat2, AT_FDCWD, "empty", AT_FDCWD, "b", 0);
	RAW(renameat2, AT_FDCWD, "b", AT_FDCWD, "empty", 0);
	RAW(renameat2, AT_FDCWD, "dir/in", AT_FDCWD, "empty", 0);
	RAW(renameat2, 99, "b", AT_FDCWD, "x", 0);
	RAW(renameat2, AT_FDCWD, BAD_PTR, AT_FDCWD, "x", 0);
	RAW(renameat2, AT_FDCWD, "b", AT_FDCWD, BAD_PTR, 0);
	RAW(renameat2, AT_FDCWD, "", AT_FDCWD, "x", 0);
	RAW(renameat2, AT_FDCWD, "b", AT_FDCWD, ".", 0);
	RAW(renameat2, AT_FDCWD, "dir/..", AT_FDCWD, "x", 0);
	return 0;
}
