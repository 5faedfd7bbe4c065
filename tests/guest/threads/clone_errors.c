/* SPDX-License-Identifier: Apache-2.0 */
/* Combinations of clone flags that are refused before anything happens. */
#include "tests/guest/guest.h"

#include <linux/sched.h>

#define RAW_CLONE(flags) SHOW_WITH(show_ok, #flags, syscall(SYS_clone, flags, 0, 0, 0, 0))
int main(void)
{
	RAW_CLONE(CLONE_SIGHAND);
	RAW_CLONE(CLONE_THREAD);
	RAW_CLONE(CLONE_THREAD | CLONE_SIGHAND);
	RAW_CLONE(CLONE_VM | CLONE_THREAD);
	RAW_CLONE(CLONE_NEWNS | CLONE_FS);
	RAW_CLONE(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_PIDFD | CLONE_DETACHED);
	return 0;
}
