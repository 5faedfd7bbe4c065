/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that are no system call. */
#include "tests/guest/guest.h"

int main(void)
{
	SHOW(syscall(9999));
	SHOW(syscall(-1));
	SHOW(syscall(0x40000000 + 5));
	SHOW(syscall(SYS_arch_prctl, 0x9999, 0));
	SHOW(syscall(SYS_rseq, 0, 0, 0, 0) == -1);
	return 0;
}
