/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl commands about where a file lies, on a file system that shares nothing: which error comes first. */
#include "tests/guest/guest.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

static int rw, ro, wo, dir, null, p[2];

static void cloning(void)
{
	struct file_clone_range r = {.src_fd = rw};

	SHOW(ioctl(rw, FICLONE, ro));
	SHOW(ioctl(rw, FICLONE, 99));
	SHOW(ioctl(ro, FICLONE, rw));
	SHOW(ioctl(rw, FICLONE, wo));
	SHOW(ioctl(rw, FICLONE, dir));
	SHOW(ioctl(dir, FICLONE, rw));
	SHOW(ioctl(rw, FICLONERANGE, &r));
	SHOW(ioctl(ro, FICLONERANGE, &r));
	SHOW(ioctl(rw, FICLONERANGE, BAD_PTR));
	r.src_fd = 99;
	SHOW(ioctl(rw, FICLONERANGE, &r));
}

static void deduping(void)
{
	union {
		struct file_dedupe_range head;
		char room[256];
	} d = {.head = {.src_length = 1, .dest_count = 1}};

	SHOW(ioctl(rw, FIDEDUPERANGE, &d));
	SHOW(ioctl(wo, FIDEDUPERANGE, &d));
	SHOW(ioctl(dir, FIDEDUPERANGE, &d));
	SHOW(ioctl(rw, FIDEDUPERANGE, BAD_PTR));
	d.head.reserved1 = 1;
	SHOW(ioctl(rw, FIDEDUPERANGE, &d));
}

int main(void)
{
	union {
		struct fiemap head;
		char room[256];
	} map = {.head = {.fm_length = FIEMAP_MAX_OFFSET}};
	int block = 0;

	NEED((rw = open("a", O_CREAT | O_RDWR, 0600)) >= 0 && (ro = open("a", O_RDONLY)) >= 0);
	NEED((wo = open("a", O_WRONLY)) >= 0 && (dir = open(".", O_RDONLY)) >= 0);
	NEED((null = open("/dev/null", O_RDWR)) >= 0 && pipe(p) == 0);
	NEED(write(rw, "123", 3) == 3);
	cloning();
	deduping();
	SHOW(ioctl(rw, FS_IOC_FIEMAP, &map));
	SHOW(ioctl(dir, FS_IOC_FIEMAP, &map));
	SHOW(ioctl(rw, FIGETBSZ, &block));
	say("block %d\n", block);
	SHOW(ioctl(rw, FIGETBSZ, BAD_PTR));
	return 0;
}
