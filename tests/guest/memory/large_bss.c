/* SPDX-License-Identifier: Apache-2.0 */
/* A program with more zeroed data than there is memory, of which it touches little; and an object that a loader would map like that. */
#include "tests/guest/guest.h"

#define TABLE (300ul << 20)

static char table[TABLE];

int main(void)
{
	int fd = open("object", O_CREAT | O_RDWR, 0600);
	char *p;

	table[5] = 1;
	table[TABLE / 2] = 2;
	table[TABLE - 1] = 3;
	ASK(table[5] + table[TABLE / 2] + table[TABLE - 1] == 6);
	ASK(all_bytes(table + TABLE / 3, 3 * PAGE, 0));

	NEED(fd >= 0 && write(fd, "object", 6) == 6);
	p = mmap(NULL, TABLE, PROT_READ, MAP_PRIVATE, fd, 0);
	NEED(p != MAP_FAILED);
	ASK(mmap(p + PAGE, TABLE - PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) == p + PAGE);
	p[TABLE - 1] = 1;
	ASK(p[PAGE] == 0 && p[TABLE - 1] == 1 && memcmp(p, "object", 6) == 0);
	SHOW(munmap(p, TABLE));
	return 0;
}
