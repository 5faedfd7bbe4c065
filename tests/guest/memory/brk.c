/* SPDX-License-Identifier: Apache-2.0 */
/* The program break by the raw call: it answers the new break, or the old one when it cannot be moved. */
#include "tests/guest/guest.h"

static char *raw_brk(void *p)
{
	return (char *)syscall(SYS_brk, p);
}

int main(void)
{
	char *start = raw_brk(NULL);

	ASK(raw_brk(NULL) == start);
	ASK(raw_brk((void *)1) == start);
	ASK(raw_brk(start + 40 * PAGE) == start + 40 * PAGE);
	ASK(all_bytes(start, 40 * PAGE, 0));
	memset(start, 1, 40 * PAGE);
	ASK(raw_brk(start + 10 * PAGE + 5) == start + 10 * PAGE + 5);
	ASK(all_bytes(start, 10 * PAGE + 5, 1));
	ASK(raw_brk(start + 40 * PAGE) == start + 40 * PAGE);
	ASK(all_bytes(start + 11 * PAGE, 29 * PAGE, 0));
	ASK(raw_brk(BAD_KERNEL) == start + 40 * PAGE);
	ASK(raw_brk((char *)BAD_TOP + PAGE) == start + 40 * PAGE);
	ASK(raw_brk(start) == start);
	return 0;
}
