/* SPDX-License-Identifier: Apache-2.0 */
/* chroot: who may, where to, what a path means then, and what is outside. */
#include "tests/guest/guest.h"

#include <limits.h>

static void where(void)
{
	char buf[64];
	bool ok = syscall(SYS_getcwd, buf, sizeof(buf)) > 0;

	say("cwd %s\n", ok ? buf : errname(errno));
}

static void errors(void)
{
	static char name[PATH_MAX + 2];

	memset(name, 'a', PATH_MAX + 1);
	NEED(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && mkdir("shut", 0) == 0);
	NEED(close(open("f", O_CREAT | O_WRONLY, 0644)) == 0);
	NEED(symlink("loop", "loop") == 0);
	SHOW(chroot(name));
	name[300] = 0;
	SHOW(chroot(name));
	SHOW(chroot("f"));
	SHOW(chroot("f/x"));
	SHOW(chroot("none"));
	SHOW(chroot("loop"));
	SHOW(chroot(""));
	RAW(chroot, BAD_PTR);
}

static void inside(void)
{
	struct stat root, up, abs;
	int outside = open(".", O_RDONLY | O_DIRECTORY), at;

	NEED(symlink("/e", "d/link") == 0);
	NEED(close(open("d/e/x", O_CREAT | O_WRONLY, 0644)) == 0);
	NEED(chdir("d/e") == 0);
	SHOW(chroot(".."));
	where();
	NEED(stat("/", &root) == 0 && stat("/..", &up) == 0 && stat("../../../..", &abs) == 0);
	ASK(root.st_ino == up.st_ino && root.st_dev == up.st_dev);
	ASK(root.st_ino == abs.st_ino);
	SHOW(access("/e/x", F_OK));
	SHOW(access("/link/x", F_OK));
	SHOW(access("/d/e/x", F_OK));
	SHOW(chdir("/"));
	where();
	/* the way out: what was opened before */
	SHOW(fchdir(outside));
	SHOW(access("d/e/x", F_OK));
	at = openat(outside, "f", O_RDONLY);
	ASK(at >= 0);
	SHOW(chroot("d/none"));
}

int main(void)
{
	NEED(mkdir("sandbox", 0755) == 0 && chdir("sandbox") == 0);
	errors();
	inside();
	SHOW(chdir("/e"));
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	SHOW(chroot("/"));
	SHOW(chroot("/none"));
	return 0;
}
