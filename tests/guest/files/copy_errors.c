/* SPDX-License-Identifier: Apache-2.0 */
/* copy_file_range and sendfile: offsets, kinds, pointers. */
#include "tests/guest/guest.h"

#include <sys/sendfile.h>

/* Which of two errors is told. */
static void kinds(int a, int b)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY), null = open("/dev/null", O_RDONLY),
	    add = open("b", O_WRONLY | O_APPEND);
	off_t far = INT64_MAX - 2, below = -1;

	SHOW(copy_file_range(a, NULL, dir, NULL, 5, 0));
	SHOW(copy_file_range(dir, NULL, null, NULL, 5, 0));
	SHOW(copy_file_range(a, NULL, null, NULL, 5, 0));
	SHOW(copy_file_range(null, NULL, b, NULL, 5, 0));
	SHOW(copy_file_range(a, NULL, add, NULL, 5, 0));
	SHOW(copy_file_range(dir, NULL, b, NULL, 5, 1));
	SHOW(copy_file_range(a, NULL, b, &far, SIZE_MAX, 0));
	SHOW(copy_file_range(a, &below, b, NULL, 5, 0));
}

int main(void)
{
	int a = open("a", O_RDWR | O_CREAT, 0600), b = open("b", O_RDWR | O_CREAT, 0600), ro, p[2];
	off_t at = 2, to = 0;

	NEED(write(a, "0123456789", 10) == 10 && pipe(p) == 0);
	ro = open("a", O_RDONLY);
	SHOW(copy_file_range(a, &at, b, &to, 5, 0));
	say("%ld %ld\n", (long)at, (long)to);
	SHOW(copy_file_range(a, &at, b, &to, 100, 0));
	SHOW(copy_file_range(a, &at, b, &to, 100, 0));
	SHOW(copy_file_range(a, &at, b, &to, 5, 1));
	SHOW(copy_file_range(a, &at, ro, &to, 5, 0));
	SHOW(copy_file_range(99, NULL, b, NULL, 5, 0));
	SHOW(copy_file_range(p[0], NULL, b, NULL, 5, 0));
	RAW(copy_file_range, a, BAD_PTR, b, NULL, 5, 0);
	RAW(copy_file_range, a, BAD_PTR, b, NULL, 5, 1);
	kinds(a, b);
	at = 0;
	SHOW(sendfile(b, a, &at, 4));
	say("%ld\n", (long)at);
	SHOW(sendfile(p[1], a, &at, 100));
	SHOW(sendfile(b, p[0], NULL, 4));
	SHOW(sendfile(ro, a, &at, 4));
	SHOW(sendfile(99, a, &at, 4));
	RAW(sendfile, b, a, BAD_PTR, 4);
	at = -1;
	SHOW(sendfile(b, a, &at, 4));
	return 0;
}
