/* SPDX-License-Identifier: Apache-2.0 */
/* User and group numbers of one who is root. */
#include "tests/guest/guest.h"

#include <grp.h>

int main(void)
{
	uid_t r = 9, e = 9, s = 9;
	gid_t groups[4] = {1, 2, 3, 4};

	SHOW(getresuid(&r, &e, &s));
	say("%u %u %u\n", r, e, s);
	RAW(getresuid, BAD_PTR, &e, &s);
	RAW(getresgid, &r, BAD_PTR, &s);
	RAW(getgroups, -1, groups);
	SHOW(setgroups(2, groups));
	RAW(getgroups, 0, NULL);
	RAW(getgroups, 1, groups);
	RAW(getgroups, 4, groups);
	RAW(setgroups, 70000, groups);
	RAW(setgroups, 2, BAD_PTR);
	SHOW(setgid(0));
	SHOW(setuid(-1));
	SHOW(setresuid(-1, -1, -1));
	SHOW(getpgid(999999));
	SHOW(getsid(999999));
	SHOW(setpgid(999999, 0));
	SHOW(umask(077) == 99);
	SHOW(umask(022));
	return 0;
}
