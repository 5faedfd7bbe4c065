/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom: sizes, flags, and that it is random. */
#include "tests/guest/guest.h"

#include <sys/random.h>

int main(void)
{
	static unsigned char a[100000], b[100000];
	unsigned counts[256] = {0};
	bool flat = true;

	SHOW(getrandom(a, 16, 0));
	SHOW(getrandom(b, 16, GRND_NONBLOCK));
	ASK(memcmp(a, b, 16) != 0);
	SHOW(getrandom(a, 0, 0));
	SHOW(getrandom(a, 256, GRND_RANDOM));
	SHOW(getrandom(a, sizeof(a), 0));
	SHOW(getrandom(b, 16, 0x100));
	for (size_t i = 0; i < sizeof(a); i++)
		counts[a[i]]++;
	for (int i = 0; i < 256; i++)
		flat = flat && counts[i] > 200 && counts[i] < 600; /* about 390 each */
	ASK(flat);
	return 0;
}
