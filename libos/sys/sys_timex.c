/* SPDX-License-Identifier: Apache-2.0 */
/* adjtimex(2): the clock follows the host's and is not steered from here; its state can be read. */
#include "libos/klib/errno.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define STA_UNSYNC    0x40
#define TIME_ERROR    5
#define TICK_US       10000
#define ADJ_TAI       0x80
#define MAX_ERROR_US  16000000
#define TOLERANCE_PPM 32768000
#define NS_PER_US     1000

struct timex {
	uint32_t modes, pad0;
	int64_t offset, freq, maxerror, esterror;
	int32_t status, pad1;
	int64_t constant, precision, tolerance;
	struct timeval time;
	int64_t tick, ppsfreq, jitter;
	int32_t shift, pad2;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai, reserved[11];
};
_Static_assert(sizeof(struct timex) == 208, "struct timex");

static long adjust(uptr_t user)
{
	uint64_t now = clock_real_ns();
	struct timex t;

	if (get_user(&t, user))
		return -EFAULT;
	if (t.modes)
		return -EPERM;
	t = (struct timex){.maxerror = MAX_ERROR_US,
		.esterror = MAX_ERROR_US,
		.status = STA_UNSYNC,
		.constant = 2,
		.precision = 1,
		.tolerance = TOLERANCE_PPM,
		.tick = TICK_US,
		.time = {(int64_t)(now / NS_PER_SEC), (int64_t)(now % NS_PER_SEC / NS_PER_US)}};
	return put_user(user, &t) ? -EFAULT : TIME_ERROR;
}

long sys_adjtimex(const uint64_t a[6])
{
	return adjust(a[0]);
}

long sys_clock_adjtime(const uint64_t a[6])
{
	uint64_t ns;

	if ((int)a[0] == CLOCK_REALTIME)
		return adjust(a[1]);
	return clock_read((int)a[0], &ns) ? -EINVAL : -EOPNOTSUPP;
}
