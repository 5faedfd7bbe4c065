/* SPDX-License-Identifier: Apache-2.0 */
/* chmod, fchmodat, fchmodat2, chown, fchownat, umask: bits, flags, what is refused. */
#include "tests/guest/guest.h"

static void mode(const char *path)
{
	struct stat st;

	NEED(lstat(path, &st) == 0);
	say("%s %o %d:%d\n", path, st.st_mode, (int)st.st_uid, (int)st.st_gid);
}
int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), path;

	NEED(symlink("file", "soft") == 0);
	path = open("file", O_PATH);
	SHOW(chmod("soft", 0123));
	mode("file");
	SHOW(fchmod(fd, 01777));
	mode("file");
	SHOW(fchmod(fd, 0170000 | 0644));
	mode("file");
	SHOW(fchmod(path, 0600));
	SHOW(fchmod(99, 0600));
	SHOW(chmod("none", 0600));
	SHOW(chmod("file/x", 0600));
	RAW(chmod, BAD_PTR, 0600);
	RAW(fchmodat, 99, "file", 0600);
	RAW(fchmodat, AT_FDCWD, "", 0600);
	SHOW(chown("file", (uid_t)-1, (gid_t)-1));
	mode("file");
	SHOW(lchown("soft", 0, 0));
	SHOW(fchownat(AT_FDCWD, "soft", 0, 0, AT_SYMLINK_NOFOLLOW));
	SHOW(fchownat(fd, "", 0, 0, AT_EMPTY_PATH));
	SHOW(fchownat(fd, "", 0, 0, 0));
	SHOW(fchownat(AT_FDCWD, "file", 0, 0, 1));
	SHOW(fchown(path, 0, 0));
	SHOW(chown("none", 0, 0));
	RAW(chown, BAD_PTR, 0, 0);
	SHOW(umask(077777));
	SHOW(umask(027));
	SHOW(umask(022));
	return 0;
}
