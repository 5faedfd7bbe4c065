/* SPDX-License-Identifier: Apache-2.0 */
/* One CPU, memory that is never swapped: what programs ask of that is answered as Linux would there. */
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/mem/uaccess.h"
#include "libos/mem/vm.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/limits.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define RESET_ON_FORK 0x40000000u
#define SLICE_NS      4000000 /* what Linux gives at 250 Hz */
#define RR_SLICE_NS   100000000
#define PRIO_PROCESS  0
#define PRIO_USER     2
#define NICE_MIN      (-20)
#define NICE_MAX      19

static int nice_value;

static struct thread *thread_of(uint64_t tid)
{
	return (int)tid ? thread_by_tid((int)tid) : current_thread;
}

static long check_tid(uint64_t tid)
{
	if ((int)tid < 0)
		return -EINVAL;
	return thread_of(tid) ? 0 : -ESRCH;
}

/* The raw call answers with the bytes written, not 0 (sched_setaffinity(2), C library/kernel differences). */
long sys_sched_getaffinity(const uint64_t a[6])
{
	uint64_t mask = 1;
	unsigned size = (unsigned)a[1];
	long r;

	if (size < sizeof(mask) || size % sizeof(uint64_t))
		return -EINVAL;
	r = (int)a[0] < 0 ? -ESRCH : check_tid(a[0]);
	if (r < 0)
		return r;
	return put_user(a[2], &mask) < 0 ? -EFAULT : (long)sizeof(mask);
}

long sys_sched_setaffinity(const uint64_t a[6])
{
	uint8_t first = 0;
	long r = (int)a[0] < 0 ? -ESRCH : check_tid(a[0]);

	if (r < 0)
		return r;
	if ((unsigned)a[1] && get_user(&first, a[2]) < 0)
		return -EFAULT;
	return first & 1 ? 0 : -EINVAL;
}

long sys_sched_getscheduler(const uint64_t a[6])
{
	long r = check_tid(a[0]);
	const struct sched_class *class;

	if (r < 0)
		return r;
	class = &thread_of(a[0])->class;
	return class->policy | (class->reset ? RESET_ON_FORK : 0);
}

long sys_sched_getparam(const uint64_t a[6])
{
	long r = check_tid(a[0]);
	int priority;

	if (r < 0)
		return r;
	if (!a[1])
		return -EINVAL;
	priority = thread_of(a[0])->class.priority;
	if (priority == PRIORITY_DEADLINE)
		priority = 0;
	return put_user(a[1], &priority) < 0 ? -EFAULT : 0;
}

static long priority_max(int policy)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return 99;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	default: /* outside numbers, not an enum of ours */
		return -EINVAL;
	}
}

static bool is_real_time(unsigned policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* What one without CAP_SYS_NICE may not (sched(7)). */
static bool may_become(const struct sched_class *was, const struct sched_class *to)
{
	unsigned limit = (unsigned)rlimit_soft(RLIMIT_RTPRIO);

	if (cred_has(CAP_SYS_NICE))
		return true;
	if (to->policy == SCHED_DEADLINE || (was->reset && !to->reset))
		return false;
	if (was->policy == SCHED_IDLE && to->policy != SCHED_IDLE &&
		rlimit_soft(RLIMIT_NICE) < (uint64_t)(20 - nice_value))
		return false;
	if (!is_real_time(to->policy))
		return true;
	return (was->policy == to->policy || limit) &&
		(to->priority <= was->priority || to->priority <= limit);
}

static long set_class(struct thread *t, const struct sched_class *class, int priority)
{
	struct sched_class to = *class;

	if (priority_max(to.policy) < 0 || priority < 0 || priority > priority_max(to.policy) ||
		is_real_time(to.policy) != (priority != 0))
		return -EINVAL;
	to.priority = to.policy == SCHED_DEADLINE ? PRIORITY_DEADLINE : (uint8_t)priority;
	if (!may_become(&t->class, &to))
		return -EPERM;
	thread_set_class(t, &to);
	return 0;
}

long sys_sched_setscheduler(const uint64_t a[6])
{
	int policy = (int)a[1] & (int)~RESET_ON_FORK, priority;
	struct sched_class class = {.reset = a[1] & RESET_ON_FORK};
	long r = check_tid(a[0]);

	if ((int)a[0] < 0 || (int)a[1] < 0 || !a[2])
		return -EINVAL;
	if (get_user(&priority, a[2]) < 0)
		return -EFAULT;
	if (r < 0)
		return r;
	if (priority_max(policy) < 0 || policy == SCHED_DEADLINE)
		return -EINVAL;
	class.policy = (uint8_t)policy;
	return set_class(thread_of(a[0]), &class, priority);
}

long sys_sched_setparam(const uint64_t a[6])
{
	long r = check_tid(a[0]);
	int priority;

	if ((int)a[0] < 0 || !a[1])
		return -EINVAL;
	if (get_user(&priority, a[1]) < 0)
		return -EFAULT;
	if (r < 0)
		return r;
	if (thread_of(a[0])->class.policy == SCHED_DEADLINE)
		return -EINVAL;
	return set_class(thread_of(a[0]), &thread_of(a[0])->class, priority);
}

long sys_sched_get_priority_max(const uint64_t a[6])
{
	return priority_max((int)a[0]);
}

long sys_sched_get_priority_min(const uint64_t a[6])
{
	long max = priority_max((int)a[0]);

	return max > 0 ? 1 : max;
}

long sys_sched_rr_get_interval(const uint64_t a[6])
{
	struct timespec slice = {0, SLICE_NS};
	long r = check_tid(a[0]);

	if (r < 0)
		return r;
	if (is_real_time(thread_of(a[0])->class.policy))
		slice.tv_nsec = thread_of(a[0])->class.policy == SCHED_RR ? RR_SLICE_NS : 0;
	return put_user(a[1], &slice) < 0 ? -EFAULT : 0;
}

/* struct sched_attr, version 1 (sched_setattr(2)). */
struct sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
#define ATTR_BYTES_V0      48u
#define ATTR_RESET_ON_FORK 1u
#define RUNTIME_MIN        1024u /* ns: what Linux can count with */

/* SCHED_DEADLINE: each period has runtime ns before the deadline in it. */
static bool is_possible(const struct sched_attr *attr)
{
	uint64_t period = attr->period ? attr->period : attr->deadline;

	return attr->runtime >= RUNTIME_MIN && attr->runtime <= attr->deadline &&
		attr->deadline <= period && !(period >> 63);
}

long sys_sched_getattr(const uint64_t a[6])
{
	struct sched_attr attr = {.nice = nice_value};
	uint32_t size = (uint32_t)a[2];
	const struct sched_class *class;
	long r;

	if (!a[1] || (int)a[0] < 0 || size < ATTR_BYTES_V0 || size > PAGE_BYTES || (uint32_t)a[3])
		return -EINVAL;
	r = check_tid(a[0]);
	if (r < 0)
		return r;
	class = &thread_of(a[0])->class;
	attr.policy = class->policy;
	attr.flags = class->reset ? ATTR_RESET_ON_FORK : 0;
	if (is_real_time(class->policy))
		attr.priority = class->priority;
	attr.runtime = class->runtime;
	attr.deadline = class->deadline;
	attr.period = class->period;
	attr.size = size < sizeof(attr) ? size : sizeof(attr);
	return copy_to_user(a[1], &attr, attr.size) ? -EFAULT : 0;
}

static long set_attr(struct thread *t, const struct sched_attr *attr)
{
	int value = attr->nice < NICE_MIN ? NICE_MIN
		: attr->nice > NICE_MAX   ? NICE_MAX
					  : attr->nice;
	struct sched_class class = {.policy = (uint8_t)attr->policy, .reset = attr->flags};
	bool ordinary = !is_real_time(attr->policy) && attr->policy != SCHED_DEADLINE;
	long r;

	if (attr->policy == SCHED_DEADLINE) {
		class.runtime = attr->runtime;
		class.deadline = attr->deadline;
		class.period = attr->period ? attr->period : attr->deadline;
	}
	if (ordinary && value < nice_value && !cred_has(CAP_SYS_NICE))
		return -EPERM;
	r = set_class(t, &class, (int)attr->priority);
	if (r == 0 && ordinary)
		nice_value = value;
	return r;
}

long sys_sched_setattr(const uint64_t a[6])
{
	struct sched_attr attr = {0};
	uint32_t size;

	if (!a[1] || (int)a[0] < 0 || (uint32_t)a[2])
		return -EINVAL;
	if (get_user(&size, a[1]))
		return -EFAULT;
	if (!size)
		size = ATTR_BYTES_V0;
	if (size < ATTR_BYTES_V0 || size > PAGE_BYTES) {
		size = sizeof(attr);
		return put_user(a[1], &size) ? -EFAULT : -E2BIG;
	}
	if (copy_from_user(&attr, a[1], size < sizeof(attr) ? size : sizeof(attr)))
		return -EFAULT;
	if (attr.flags & ~(uint64_t)ATTR_RESET_ON_FORK || attr.policy > SCHED_DEADLINE ||
		attr.priority > INT32_MAX || (attr.policy == SCHED_DEADLINE && !is_possible(&attr)))
		return -EINVAL;
	if (check_tid(a[0]) < 0)
		return check_tid(a[0]);
	return set_attr(thread_of(a[0]), &attr);
}

long sys_getcpu(const uint64_t a[6])
{
	uint32_t zero = 0;

	if ((a[0] && put_user(a[0], &zero) < 0) || (a[1] && put_user(a[1], &zero) < 0))
		return -EFAULT;
	return 0;
}

/* The raw call answers 20 - nice, so that it is never negative (getpriority(2)). */
static int check_who(unsigned which, uint64_t who)
{
	if (which > PRIO_USER)
		return -EINVAL;
	if (which == PRIO_PROCESS)
		return check_tid(who) < 0 ? -ESRCH : 0;
	if (which == PRIO_USER)
		return !(uint32_t)who || (uint32_t)who == cred.uid.real ? 0 : -ESRCH;
	return (int)who == 0 || (int)who == 1 ? 0 : -ESRCH;
}

long sys_getpriority(const uint64_t a[6])
{
	int rc = check_who((unsigned)a[0], a[1]);

	return rc < 0 ? rc : 20 - nice_value;
}

long sys_setpriority(const uint64_t a[6])
{
	int value = (int)a[2], rc = check_who((unsigned)a[0], a[1]);

	if (rc < 0)
		return rc;
	value = value < NICE_MIN ? NICE_MIN : value > NICE_MAX ? NICE_MAX : value;
	if (value < nice_value && !cred_has(CAP_SYS_NICE))
		return -EACCES;
	nice_value = value;
	return 0;
}

/* ---- priority of I/O: kept and answered (ioprio_set(2)); there is nobody to come first of */
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_CLASS_RT    1u
#define IOPRIO_CLASS_BE    2u
#define IOPRIO_CLASS_IDLE  3u
#define IOPRIO_LEVELS      8u

static unsigned io_priority;

/* IOPRIO_WHO_PROCESS, _PGRP, _USER are one above PRIO_PROCESS and so on. */
static int check_io_who(const uint64_t a[6])
{
	return (int)a[0] < 1 ? -EINVAL : check_who((unsigned)a[0] - 1, a[1]);
}

long sys_ioprio_get(const uint64_t a[6])
{
	int rc = check_io_who(a);

	return rc < 0 ? rc : (long)io_priority;
}

long sys_ioprio_set(const uint64_t a[6])
{
	unsigned value = (unsigned)a[2], class = value >> IOPRIO_CLASS_SHIFT,
		 level = value & (IOPRIO_LEVELS - 1);
	int rc;

	if (class > IOPRIO_CLASS_IDLE || (!class && level))
		return -EINVAL;
	if (class == IOPRIO_CLASS_RT && !cred_has(CAP_SYS_NICE) && !cred_has(CAP_SYS_ADMIN))
		return -EPERM;
	rc = check_io_who(a);
	if (!rc)
		io_priority = value;
	return rc;
}

#define MEMBARRIER_QUERY                      0
#define MEMBARRIER_GLOBAL                     1
#define MEMBARRIER_PRIVATE_EXPEDITED          8
#define MEMBARRIER_REGISTER_PRIVATE_EXPEDITED 16

/* One vCPU: other threads ran before or run after, with a full barrier at the switch. */
long sys_membarrier(const uint64_t a[6])
{
	static bool registered;

	if (a[1] & UINT32_MAX)
		return -EINVAL;
	switch ((int)a[0]) {
	case MEMBARRIER_QUERY:
		return MEMBARRIER_GLOBAL | MEMBARRIER_PRIVATE_EXPEDITED |
			MEMBARRIER_REGISTER_PRIVATE_EXPEDITED;
	case MEMBARRIER_PRIVATE_EXPEDITED:
		return registered ? 0 : -EPERM;
	case MEMBARRIER_REGISTER_PRIVATE_EXPEDITED:
		registered = true;
		return 0;
	case MEMBARRIER_GLOBAL:
		return 0;
	default: /* outside numbers */
		return -EINVAL;
	}
}

#define PERSONALITY_KIND 0xffu /* of another system: none but Linux (0) */

long sys_personality(const uint64_t a[6])
{
	static uint32_t kept;
	uint32_t was = kept, to = (uint32_t)a[0];

	if (to != UINT32_MAX && (to & PERSONALITY_KIND))
		return -EINVAL;
	if (to != UINT32_MAX)
		kept = to;
	return was;
}

/* One memory node, default policy. */
long sys_get_mempolicy(const uint64_t a[6])
{
	int policy = 0;
	uint64_t nodes = 1;

	if (a[0] && put_user(a[0], &policy) < 0)
		return -EFAULT;
	return a[1] && a[2] && put_user(a[1], &nodes) < 0 ? -EFAULT : 0;
}

long sys_set_mempolicy(const uint64_t a[6])
{
	return (int)a[0] < 0 ? -EINVAL : 0;
}

long sys_pkey_alloc(const uint64_t a[6])
{
	return a[0] ? -EINVAL : -ENOSPC;
}
