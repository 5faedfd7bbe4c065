/* SPDX-License-Identifier: Apache-2.0 */
/* read, write, lseek: offsets, ends, holes, append, truncation at open, and the wrong kind of descriptor. */
#include "tests/guest/guest.h"

int main(void)
{
	char buf[64];
	int rw = open("file", O_RDWR | O_CREAT, 0600);
	int ro = open("file", O_RDONLY), wo = open("file", O_WRONLY),
	    ap = open("file", O_WRONLY | O_APPEND);
	int dir = open(".", O_RDONLY);

	SHOW(write(rw, "0123456789", 10));
	SHOW(read(rw, buf, 10));
	SHOW(read(ro, buf, 4));
	SHOW(lseek(ro, 0, SEEK_CUR));
	SHOW(read(ro, buf, 64));
	ASK(memcmp(buf, "456789", 6) == 0);
	SHOW(read(ro, buf, 64));
	SHOW(read(ro, buf, 0));
	SHOW(read(wo, buf, 1));
	SHOW(write(ro, "x", 1));
	SHOW(read(dir, buf, 1));
	SHOW(write(dir, buf, 1));
	SHOW(read(-1, buf, 1));
	SHOW(write(999, buf, 1));
	SHOW(write(wo, buf, 0));
	SHOW(lseek(rw, -1, SEEK_SET));
	SHOW(lseek(rw, -11, SEEK_END));
	SHOW(lseek(rw, -10, SEEK_END));
	SHOW(lseek(rw, 0, 17));
	SHOW(lseek(rw, 100, SEEK_SET));
	SHOW(read(rw, buf, 1));
	SHOW(lseek(ro, 0, SEEK_END));
	SHOW(write(rw, "end", 3));
	SHOW(lseek(ro, 0, SEEK_END));
	SHOW(lseek(ro, 10, SEEK_SET));
	SHOW(read(ro, buf, 64));
	ASK(all_bytes(buf, 64, 0));
	SHOW(lseek(ap, 0, SEEK_SET));
	SHOW(write(ap, "appended", 8));
	SHOW(lseek(ap, 0, SEEK_CUR));
	SHOW(lseek(rw, 0, SEEK_END));
	SHOW(lseek(ro, 5, SEEK_SET));
	NEED(close(open("file", O_WRONLY | O_TRUNC)) == 0);
	SHOW(lseek(ro, 0, SEEK_END));
	SHOW(lseek(rw, 1l << 40, SEEK_SET));
	SHOW(read(rw, buf, 1));
	return 0;
}
