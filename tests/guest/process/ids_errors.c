/* SPDX-License-Identifier: Apache-2.0 */
/* The set-id calls: as the super-user, back and forth, groups; getsid and its kind of nobody. */
#include "tests/guest/guest.h"

#include <grp.h>

int main(void)
{
	uid_t r, e, s;
	gid_t g[4];

	NEED(geteuid() == 0);
	SHOW(setuid((uid_t)-1));
	SHOW(setreuid((uid_t)-1, (uid_t)-1));
	SHOW(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
	SHOW(setgid((gid_t)-1));
	SHOW(setgroups(2, (gid_t[]){7, 5}));
	SHOW(getgroups(0, NULL));
	SHOW(getgroups(4, g));
	say("%u %u\n", g[0], g[1]);
	SHOW(getgroups(1, g));
	RAW(getgroups, -1, g);
	RAW(getgroups, 4, BAD_PTR);
	RAW(setgroups, 4, BAD_PTR);
	RAW(setgroups, 65537, g);
	RAW(getresuid, BAD_PTR, &e, &s);
	SHOW(setresuid((uid_t)-1, 1000, (uid_t)-1));
	SHOW(getresuid(&r, &e, &s));
	say("%u %u %u\n", r, e, s);
	SHOW(setresuid(0, 1001, 0));
	SHOW(seteuid(0));
	SHOW(setuid(1000));
	SHOW(getresuid(&r, &e, &s));
	say("%u %u %u\n", r, e, s);
	SHOW(setuid(0));
	SHOW(setuid(1000));
	SHOW(setgroups(0, NULL));
	SHOW(getsid(999999));
	SHOW(getpgid(999999));
	SHOW(setpgid(0, -1));
	SHOW(getpgid(-1));
	return 0;
}
