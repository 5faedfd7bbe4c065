/* SPDX-License-Identifier: Apache-2.0 */
/* Gives CAP_SYS_RESOURCE away: with it limits do not hold, and not every root has it. */
#ifndef TESTS_GUEST_LIMITED_H
#define TESTS_GUEST_LIMITED_H

#include "tests/guest/guest.h"

#include <linux/capability.h>

static void obey_limits(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	NEED(syscall(SYS_capget, &head, data) == 0);
	data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	data[0].permitted &= ~(1u << CAP_SYS_RESOURCE);
	NEED(syscall(SYS_capset, &head, data) == 0);
}

#endif
