/* SPDX-License-Identifier: Apache-2.0 */
/* The exit status is the lowest 8 bits; atexit functions run backwards, buffered output is written. */
#include "tests/guest/guest.h"

static void first(void)
{
	printf("registered first, runs last\n");
}

static void second(void)
{
	printf("registered second, runs first\n");
}

int main(void)
{
	atexit(first);
	atexit(second);
	printf("no newline yet, ");
	return 256 + 77;
}
