/* SPDX-License-Identifier: Apache-2.0 */
/* The stack and the floating-point state that a program starts with. */
#include "tests/guest/guest.h"

int main(int argc, char **argv)
{
	const uint64_t *stack =
		(const uint64_t *)argv - 1; /* argc is below the first argument pointer */
	uint32_t mxcsr;
	uint16_t cw;

	ASK((uintptr_t)stack % 16 == 0);
	ASK(*stack == (uint64_t)argc);
	__asm__("stmxcsr %0" : "=m"(mxcsr));
	__asm__("fnstcw %0" : "=m"(cw));
	say("mxcsr %x, x87 control word %x\n", mxcsr & ~0x3fu, cw);
	return 0;
}
