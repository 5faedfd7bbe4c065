/* SPDX-License-Identifier: Apache-2.0 */
/* Megabytes through a file: written in odd parts, read back whole, by position and through a mapping. */
#include "tests/guest/guest.h"

#define LEN (6u << 20)

int main(void)
{
	unsigned char *data = malloc(LEN), *back = malloc(LEN), *map;
	int fd = open("big", O_RDWR | O_CREAT, 0600);
	size_t done = 0, step = 1;

	NEED(data && back && fd >= 0);
	fill_pattern(data, LEN, 11);
	while (done < LEN) {
		size_t n = step < LEN - done ? step : LEN - done;

		NEED(write(fd, data + done, n) == (ssize_t)n);
		done += n;
		step = step * 7 % 65521 + 1;
	}
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(lseek(fd, 0, SEEK_SET));
	for (done = 0; done < LEN;) {
		ssize_t n = read(fd, back + done, LEN - done);

		NEED(n > 0);
		done += (size_t)n;
	}
	ASK(memcmp(data, back, LEN) == 0);
	map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, fd, 0);
	ASK(map != MAP_FAILED && memcmp(data, map, LEN) == 0);
	for (uint32_t i = 0, at = 1; i < 1000; i++) {
		at = at * 1664525u + 1013904223u;
		NEED(pread(fd, back, 100, at % (LEN - 100)) == 100);
		NEED(memcmp(back, data + at % (LEN - 100), 100) == 0);
	}
	SHOW(fsync(fd));
	SHOW(fdatasync(fd));
	SHOW(unlink("big"));
	return 0;
}
