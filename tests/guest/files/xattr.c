/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: pointers and descriptors. */
#include "tests/guest/guest.h"

#include <sys/xattr.h>

int main(void)
{
	char b[10];

	SHOW(getxattr("nowhere", "user.x", b, 10));
	SHOW(fgetxattr(99, "user.x", b, 10));
	SHOW(setxattr("nowhere", "user.x", b, 1, 0));
	SHOW(fremovexattr(99, "user.x"));
	SHOW(listxattr("nowhere", b, 10));
	return 0;
}
