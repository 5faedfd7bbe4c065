/* SPDX-License-Identifier: Apache-2.0 */
/* utimensat: UTIME_NOW, UTIME_OMIT, exact times, links, and what is refused. */
#include "tests/guest/guest.h"

static void times_of(const char *path)
{
	struct stat st;

	NEED(lstat(path, &st) == 0);
	say("%s: %ld.%09ld %ld.%09ld\n", path, (long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
		(long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
int main(void)
{
	struct timespec t[2] = {{1000, 123456789}, {2000, 999999999}}, bad[2] = {{0, -1}, {0, 0}},
			now[2] = {{0, UTIME_NOW}, {5, UTIME_OMIT}},
			omit[2] = {{7, UTIME_OMIT}, {7, UTIME_OMIT}};
	struct stat st;
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	NEED(symlink("file", "soft") == 0);
	SHOW(utimensat(AT_FDCWD, "file", t, 0));
	times_of("file");
	SHOW(utimensat(AT_FDCWD, "file", omit, 0));
	times_of("file");
	SHOW(utimensat(AT_FDCWD, "file", now, 0));
	NEED(stat("file", &st) == 0);
	say("%d %ld\n", st.st_atim.tv_sec > 100000, (long)st.st_mtim.tv_sec);
	t[0].tv_sec = 5;
	SHOW(futimens(fd, t));
	times_of("file");
	SHOW(utimensat(AT_FDCWD, "soft", t, AT_SYMLINK_NOFOLLOW));
	times_of("soft");
	SHOW(utimensat(AT_FDCWD, "file", NULL, 0));
	NEED(stat("file", &st) == 0);
	say("%d %d\n", st.st_atim.tv_sec > 100000, st.st_mtim.tv_sec > 100000);
	SHOW(utimensat(AT_FDCWD, "file", bad, 0));
	SHOW(utimensat(AT_FDCWD, "none", omit, 0));
	SHOW(utimensat(AT_FDCWD, "none", t, 0));
	SHOW(utimensat(AT_FDCWD, "file", t, 1));
	RAW(utimensat, AT_FDCWD, "file", BAD_PTR, 0);
	RAW(utimensat, AT_FDCWD, BAD_PTR, t, 0);
	RAW(utimensat, 99, NULL, t, 0);
	RAW(utimensat, 99, "file", t, 0);
	return 0;
}
