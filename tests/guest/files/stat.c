/* SPDX-License-Identifier: Apache-2.0 */
/* stat, fstat, fstatat: types, sizes, links, numbers, times. */
#include "tests/guest/guest.h"

#include <sys/sysmacros.h>

static const char *type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "dir";
	case S_IFLNK:
		return "link";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "char";
	default:
		return "other";
	}
}

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

int main(void)
{
	struct stat st, other;
	struct timespec old, times[2];
	int fd = open("file", O_RDWR | O_CREAT, 0640), p[2];

	NEED(mkdir("dir", 0751) == 0 && pipe(p) == 0 && write(fd, "hello", 5) == 5);
	SHOW(fstat(fd, &st));
	say("%s %o size %ld links %ld\n", type(st.st_mode), st.st_mode & 07777, (long)st.st_size,
		(long)st.st_nlink);
	ASK(st.st_blksize >= 512 && st.st_blocks >= 1 && st.st_blocks <= 64 && st.st_ino != 0);
	SHOW(stat("file", &other));
	ASK(st.st_ino == other.st_ino && st.st_dev == other.st_dev);
	SHOW(stat("dir", &other));
	say("%s %o\n", type(other.st_mode), other.st_mode & 07777);
	ASK(st.st_ino != other.st_ino && other.st_nlink >= 2);
	SHOW(fstat(p[0], &other));
	say("%s\n", type(other.st_mode));
	SHOW(stat("/dev/null", &other));
	say("%s %u:%u\n", type(other.st_mode), major(other.st_rdev), minor(other.st_rdev));
	SHOW(stat("missing", &other));
	SHOW(stat("", &other));
	SHOW(stat("file/x", &other));
	SHOW(fstat(999, &other));
	SHOW(fstatat(fd, "", &other, AT_EMPTY_PATH));
	ASK(other.st_ino == st.st_ino);
	SHOW(fstatat(fd, "", &other, 0));
	SHOW(fstatat(AT_FDCWD, "file", &other, 0x40000000));

	old = st.st_mtim;
	do
		NEED(pwrite(fd, "J", 1, 0) == 1 && fstat(fd, &st) == 0);
	while (!later(st.st_mtim, old)); /* the clock of files is coarse */
	ASK(st.st_mtim.tv_sec > 1600000000);
	times[0] = (struct timespec){1000000000, 123456789};
	times[1] = (struct timespec){1100000000, 0};
	SHOW(utimensat(AT_FDCWD, "file", times, 0));
	SHOW(stat("file", &st));
	say("%ld.%09ld %ld.%09ld\n", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
		(long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	SHOW(futimens(fd, times));
	SHOW(fstat(fd, &st));
	ASK(st.st_atim.tv_sec == 1000000000 && st.st_mtim.tv_sec > 1600000000);
	times[0].tv_nsec = -5;
	SHOW(futimens(fd, times));
	return 0;
}
