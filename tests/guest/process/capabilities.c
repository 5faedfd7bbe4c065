/* SPDX-License-Identifier: Apache-2.0 */
/* capget and capset: versions and pointers. */
#include "tests/guest/guest.h"

#include <linux/capability.h>

int main(void)
{
	struct __user_cap_header_struct h = {0x20080522, 0};
	struct __user_cap_data_struct d[2];

	RAW(capget, &h, d);
	RAW(capget, &h, NULL);
	h.version = 0;
	RAW(capget, &h, d);
	say("%x\n", h.version);
	h.version = 1;
	RAW(capget, &h, NULL);
	RAW(capget, BAD_PTR, d);
	h = (struct __user_cap_header_struct){0x20080522, -1};
	RAW(capget, &h, d);
	h.pid = 999999;
	RAW(capget, &h, d);
	h.pid = 0;
	RAW(capget, &h, BAD_PTR);
	return 0;
}
