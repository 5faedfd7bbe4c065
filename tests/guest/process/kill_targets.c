/* SPDX-License-Identifier: Apache-2.0 */
/* kill, tkill and tgkill: signal 0, the own group, targets that are not, numbers that are refused. */
#include "tests/guest/guest.h"

int main(void)
{
	long pid = getpid(), tid = syscall(SYS_gettid);

	SHOW(kill(getpid(), 0));
	SHOW(kill(getpid(), 65));
	SHOW(kill(getpid(), -1));
	SHOW(kill(999999, 0));
	SHOW(kill(-999999, 0));
	RAW(tkill, tid, 0);
	RAW(tkill, 0, 0);
	RAW(tkill, -1, 0);
	RAW(tkill, 999999, 0);
	RAW(tkill, tid, 65);
	RAW(tgkill, pid, tid, 0);
	RAW(tgkill, pid, 0, 0);
	RAW(tgkill, -1, tid, 0);
	RAW(tgkill, pid, 999999, 0);
	RAW(tgkill, 999999, tid, 0);
	RAW(tgkill, pid, tid, -1);
	return 0;
}
