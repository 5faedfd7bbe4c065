/* SPDX-License-Identifier: Apache-2.0 */
/* umask, chmod, chown: kept and given back, though one user is all there is. */
#include "tests/guest/guest.h"

static void mode(const char *name)
{
	struct stat st;

	NEED(stat(name, &st) == 0);
	say("%s: %o\n", name, st.st_mode);
}

int main(void)
{
	struct stat st;
	int fd;

	umask(022);
	say("%o\n", umask(027));
	fd = open("file", O_CREAT | O_WRONLY, 0666);
	mode("file");
	NEED(mkdir("dir", 0777) == 0);
	mode("dir");
	say("%o\n", umask(07777));
	say("%o\n", umask(0));
	SHOW(chmod("file", 04751));
	mode("file");
	SHOW(fchmod(fd, 0600));
	mode("file");
	SHOW(fchmodat(AT_FDCWD, "dir", 01777, 0));
	mode("dir");
	SHOW(chmod("missing", 0600));
	SHOW(fchmod(999, 0600));
	SHOW(chown("file", 1000, 1001));
	NEED(stat("file", &st) == 0);
	say("%u %u\n", st.st_uid, st.st_gid);
	SHOW(fchown(fd, (uid_t)-1, 7));
	NEED(stat("file", &st) == 0);
	say("%u %u\n", st.st_uid, st.st_gid);
	SHOW(chown("missing", 0, 0));
	SHOW(mkfifo("fifo", 0640));
	mode("fifo");
	SHOW(mkfifo("fifo", 0640));
	return 0;
}
