/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile and copy_file_range: kinds, offsets, overlap, flags, pointers. */
#include "tests/guest/guest.h"

#include <sys/sendfile.h>

int main(void)
{
	int a = open("a", O_CREAT | O_RDWR, 0600), ro = open("a", O_RDONLY), b, ap, p[2];
	off_t off = 2, neg = -1, to = 0;

	b = open("b", O_CREAT | O_RDWR, 0600);
	ap = open("b", O_RDWR | O_APPEND);
	NEED(pipe(p) == 0 && write(a, "0123456789", 10) == 10);
	SHOW(sendfile(b, a, &off, 4));
	say("%ld\n", (long)off);
	SHOW(sendfile(p[1], a, &off, 100));
	SHOW(sendfile(b, p[0], NULL, 1));
	SHOW(sendfile(b, a, &neg, 1));
	SHOW(sendfile(ro, a, NULL, 1));
	SHOW(sendfile(99, a, NULL, 1));
	SHOW(sendfile(b, 99, NULL, 1));
	SHOW(sendfile(ap, a, NULL, 1));
	RAW(sendfile, b, a, BAD_PTR, 1);
	SHOW(sendfile(b, a, NULL, 0));
	off = 0;
	SHOW(copy_file_range(a, &off, b, &to, 5, 0));
	say("%ld %ld\n", (long)off, (long)to);
	off = to = 0;
	SHOW(copy_file_range(a, &off, a, &to, 5, 0));
	to = 5;
	SHOW(copy_file_range(a, &off, a, &to, 5, 0));
	SHOW(copy_file_range(a, NULL, b, NULL, 5, 1));
	SHOW(copy_file_range(a, NULL, ap, NULL, 5, 0));
	SHOW(copy_file_range(a, NULL, ro, NULL, 5, 0));
	SHOW(copy_file_range(p[0], NULL, b, NULL, 5, 0));
	SHOW(copy_file_range(a, NULL, p[1], NULL, 5, 0));
	SHOW(copy_file_range(99, NULL, b, NULL, 5, 0));
	off = 100;
	SHOW(copy_file_range(a, &off, b, NULL, 5, 0));
	RAW(copy_file_range, a, BAD_PTR, b, NULL, 5, 0);
	return 0;
}
