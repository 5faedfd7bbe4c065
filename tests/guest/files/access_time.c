/* SPDX-License-Identifier: Apache-2.0 */
/* Times that reading leaves: once after each change (relatime), not with O_NOATIME; the time of birth. */
#include "tests/guest/guest.h"

#include <dirent.h>

static const char *name;

static struct statx of(void)
{
	struct statx x;

	NEED(statx(AT_FDCWD, name, 0, STATX_BASIC_STATS | STATX_BTIME, &x) == 0);
	return x;
}

static int64_t ns(struct statx_timestamp t)
{
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* So that the next time is another one: Linux's clock of files has steps of some milliseconds. */
static void later(void)
{
	struct timespec from, now;

	NEED(clock_gettime(CLOCK_REALTIME_COARSE, &from) == 0);
	do {
		sleep_ms(1);
		NEED(clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0);
	} while (from.tv_sec == now.tv_sec && from.tv_nsec / 20000000 == now.tv_nsec / 20000000);
}

#define TRY(action)                                                                                \
	do {                                                                                       \
		struct statx was = of(), is;                                                       \
                                                                                                   \
		later();                                                                           \
		NEED((action) >= 0);                                                               \
		is = of();                                                                         \
		say("%s:%s%s%s%s\n", #action,                                                      \
			ns(is.stx_atime) > ns(was.stx_atime) ? " atime" : "",                      \
			ns(is.stx_mtime) > ns(was.stx_mtime) ? " mtime" : "",                      \
			ns(is.stx_ctime) > ns(was.stx_ctime) ? " ctime" : "",                      \
			ns(is.stx_btime) != ns(was.stx_btime) ? " btime" : "");                    \
	} while (0)

static int list(void)
{
	DIR *d = opendir(name);

	NEED(d && readdir(d));
	return closedir(d);
}

int main(void)
{
	char buf[8];
	int fd, quiet;
	void *p;

	name = "file";
	fd = open(name, O_CREAT | O_RDWR, 0600);
	quiet = open(name, O_RDONLY | O_NOATIME);
	NEED(fd >= 0 && quiet >= 0);
	ASK((of().stx_mask & STATX_BTIME) != 0);
	ASK(ns(of().stx_btime) == ns(of().stx_ctime));
	TRY(write(fd, "12345678", 8));
	TRY(pread(quiet, buf, 8, 0));
	TRY(pread(fd, buf, 8, 0));
	TRY(pread(fd, buf, 8, 0));
	TRY(fchmod(fd, 0644));
	TRY(pread(fd, buf, 0, 0));
	TRY(pread(fd, buf, 8, 100));
	TRY(ftruncate(fd, 4));
	p = NULL;
	TRY((p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED ? -1 : 0);
	name = "dir";
	NEED(mkdir(name, 0755) == 0);
	TRY(list());
	TRY(list());
	TRY(close(open("dir/x", O_CREAT | O_WRONLY, 0600)));
	TRY(list());
	return p ? 0 : 1;
}
