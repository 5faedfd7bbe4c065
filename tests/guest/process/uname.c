/* SPDX-License-Identifier: Apache-2.0 */
/* uname, sethostname, and their errors. */
#include "tests/guest/guest.h"

#include <sys/utsname.h>

int main(void)
{
	struct utsname u;
	char name[4];

	SHOW(uname(&u));
	say("%s %s\n", u.sysname, u.machine);
	RAW(uname, BAD_PTR);
	RAW(uname, NULL);
	RAW(sethostname, BAD_PTR, 5);
	RAW(sethostname, "x", -1);
	RAW(sethostname, "x", 65);
	SHOW(gethostname(name, 0));
	return 0;
}
