/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom: flags, sizes, pointers. */
#include "tests/guest/guest.h"

int main(void)
{
	unsigned char a[64] = {0}, b[64] = {0};

	RAW(getrandom, a, 64, 0);
	RAW(getrandom, b, 64, 1);
	ASK(memcmp(a, b, 64) != 0);
	RAW(getrandom, a, 0, 0);
	RAW(getrandom, a, 10, 2);
	RAW(getrandom, a, 10, 4);
	RAW(getrandom, a, 10, 6);
	RAW(getrandom, a, 10, 8);
	RAW(getrandom, BAD_PTR, 10, 0);
	RAW(getrandom, BAD_KERNEL, 10, 0);
	return 0;
}
