/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adjtimex(2), clock_adjtime(2): the clock follows the host's, which is disciplined already. Who may set the clock may set it here: what it says
 * of frequency, tick, status and errors is checked, kept and answered; offsets (ADJ_SETOFFSET, adjtime(3)) are applied at once.
 */
#include "libos/klib/errno.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define ADJ_OFFSET    0x0001u
#define ADJ_FREQUENCY 0x0002u
#define ADJ_MAXERROR  0x0004u
#define ADJ_ESTERROR  0x0008u
#define ADJ_STATUS    0x0010u
#define ADJ_TIMECONST 0x0020u
#define ADJ_TAI       0x0080u
#define ADJ_SETOFFSET 0x0100u
#define ADJ_MICRO     0x1000u
#define ADJ_NANO      0x2000u
#define ADJ_TICK      0x4000u
#define ADJ_ADJTIME                                                                                \
	0x8000u /* with ADJ_OFFSET: what adjtime(3) does; with ADJ_READONLY: what is left of it */
#define ADJ_READONLY 0x2000u

#define STA_PLL      0x0001
#define STA_UNSYNC   0x0040
#define STA_CLOCKERR 0x1000
#define STA_NANO     0x2000
#define STA_RONLY    0xff00
#define TIME_OK      0
#define TIME_ERROR   5
#define TICK_US      10000
#define TICK_SPREAD  1000 /* a tenth either way */
#define MAX_ERROR_US 16000000
#define FREQ_MAX     32768000 /* 500 ppm, in 2^-16 ppm */
#define PPM_SCALE                                                                                  \
	((1000ll << 32) / (1 << 16) /                                                              \
		1000) /* of the kernel's own frequency, for its overflow check */
#define CONSTANT_MAX 10
#define TAI_MAX      100000
#define NS_PER_US    1000
#define US_PER_SEC   1000000

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

static struct timex kept = {.maxerror = MAX_ERROR_US,
	.esterror = MAX_ERROR_US,
	.status = STA_UNSYNC,
	.constant = 2,
	.precision = 1,
	.tolerance = FREQ_MAX,
	.tick = TICK_US};

/* In Linux's order (timekeeping_validate_timex). */
static int check(const struct timex *t)
{
	bool may = cred_has(CAP_SYS_TIME);
	int64_t second = t->modes & ADJ_NANO ? NS_PER_SEC : NS_PER_SEC / NS_PER_US;

	if (t->modes & ADJ_ADJTIME) {
		if (!(t->modes & ADJ_OFFSET))
			return -EINVAL;
		if (!(t->modes & ADJ_READONLY) && !may)
			return -EPERM;
	} else {
		if (t->modes && !may)
			return -EPERM;
		if (t->modes & ADJ_TICK &&
			(t->tick < TICK_US - TICK_SPREAD || t->tick > TICK_US + TICK_SPREAD))
			return -EINVAL;
	}
	if (t->modes & ADJ_SETOFFSET) {
		if (!may)
			return -EPERM;
		if (t->time.tv_usec < 0 || t->time.tv_usec >= second)
			return -EINVAL;
	}
	if (t->modes & ADJ_FREQUENCY &&
		(t->freq < INT64_MIN / PPM_SCALE || t->freq > INT64_MAX / PPM_SCALE))
		return -EINVAL;
	return 0;
}

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

/* -EINVAL: the clock would leave the time that it can tell. */
static int step(int64_t s, int64_t ns)
{
	int64_t now = (int64_t)clock_real_ns(), by;

	if (__builtin_mul_overflow(s, (int64_t)NS_PER_SEC, &by) ||
		__builtin_add_overflow(by, ns, &by) || __builtin_add_overflow(now, by, &now) ||
		now < 0)
		return -EINVAL;
	clock_set_real((uint64_t)now);
	return 0;
}

static void keep_status(int32_t status)
{
	if (kept.status & STA_PLL && !(status & STA_PLL))
		kept.status = STA_UNSYNC;
	kept.status = (kept.status & STA_RONLY) | (status & ~STA_RONLY);
}

static void keep(const struct timex *t)
{
	if (t->modes & ADJ_STATUS)
		keep_status(t->status);
	if (t->modes & ADJ_NANO)
		kept.status |= STA_NANO;
	if (t->modes & ADJ_MICRO)
		kept.status &= ~STA_NANO;
	if (t->modes & ADJ_FREQUENCY)
		kept.freq = clamp(t->freq, -FREQ_MAX, FREQ_MAX);
	if (t->modes & ADJ_MAXERROR)
		kept.maxerror = clamp(t->maxerror, 0, MAX_ERROR_US);
	if (t->modes & ADJ_ESTERROR)
		kept.esterror = clamp(t->esterror, 0, MAX_ERROR_US);
	if (t->modes & ADJ_TIMECONST)
		kept.constant = clamp(clamp(t->constant, INT32_MIN, CONSTANT_MAX) +
				(kept.status & STA_NANO ? 0 : 4),
			0, CONSTANT_MAX);
	if (t->modes & ADJ_TAI && t->constant >= 0 && t->constant <= TAI_MAX)
		kept.tai = (int32_t)t->constant;
	if (t->modes & ADJ_TICK)
		kept.tick = t->tick;
}

static long adjust(uptr_t user)
{
	struct timex t, out;
	uint64_t now;
	int rc;

	if (get_user(&t, user))
		return -EFAULT;
	rc = check(&t);
	if (rc < 0)
		return rc;
	if (t.modes & ADJ_SETOFFSET)
		rc = step(t.time.tv_sec, t.time.tv_usec * (t.modes & ADJ_NANO ? 1 : NS_PER_US));
	if (rc == 0 && (t.modes & (ADJ_ADJTIME | ADJ_READONLY)) == ADJ_ADJTIME)
		rc = step(t.offset / US_PER_SEC, t.offset % US_PER_SEC * NS_PER_US);
	if (rc < 0)
		return rc;
	if (!(t.modes & ADJ_ADJTIME))
		keep(&t);
	now = clock_real_ns();
	out = kept;
	out.modes = t.modes;
	out.time.tv_sec = (int64_t)(now / NS_PER_SEC);
	out.time.tv_usec = (int64_t)(now % NS_PER_SEC / (kept.status & STA_NANO ? 1 : NS_PER_US));
	if (put_user(user, &out))
		return -EFAULT;
	return kept.status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : TIME_OK;
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
