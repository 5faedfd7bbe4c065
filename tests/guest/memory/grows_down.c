/* SPDX-License-Identifier: Apache-2.0 */
/* A MAP_GROWSDOWN mapping grows below when touched, and not into its neighbour. */
#include "tests/guest/guest.h"

#define RW (PROT_READ | PROT_WRITE)
int main(void)
{
	char *area = mmap(NULL, 600 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *top = area + 590 * PAGE;

	NEED(area != MAP_FAILED && munmap(area, 600 * PAGE) == 0);
	NEED(mmap(top, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0) ==
		top);
	top[0] = 1;
	for (int i = 1; i <= 20; i++)
		*(volatile char *)(top - i * (long)PAGE) = (char)i;
	ASK(top[-20 * (long)PAGE] == 20 && top[0] == 1);
	SHOW(munmap(top - 20 * PAGE, 21 * PAGE));
	return 0;
}
