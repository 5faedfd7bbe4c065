/* SPDX-License-Identifier: Apache-2.0 */
/* Floating point as the C library does it, chosen at run time by what the processor says it can. */
#include "tests/guest/guest.h"

#include <math.h>

int main(void)
{
	volatile double x = 2.0, third = 1.0 / 3.0;
	volatile long double l = 2.0L;
	char big[5000], copy[5000];

	say("%.15f %.15f %.15f\n", sqrt(x), sin(x), exp(third));
	say("%.17g %a %.3e\n", third, third, 123456.789);
	say("%.18Lf\n", sqrtl(l));
	say("%.6f %ld\n", strtod("3.25e2", NULL), lround(2.5));
	say("%.1f %.1f %.1f\n", floor(-2.5), rint(2.5), fma(2, 3, 4));
	for (size_t n = 1; n < sizeof(big); n = n * 3 + 1) {
		fill_pattern(big, n, (uint32_t)n);
		memcpy(copy, big, n);
		memmove(copy + 1, copy, n - 1);
		NEED(n == 1 || memcmp(copy + 1, big, n - 1) == 0);
		memset(big, 'a', n);
		big[n] = '\0';
		NEED(strlen(big) == n && memchr(big, 0, sizeof(big)) == big + n &&
			strchr(big, 'b') == NULL);
	}
	say("moving and searching bytes works\n");
	return 0;
}
