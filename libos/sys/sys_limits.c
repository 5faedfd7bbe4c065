/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits: kept and answered as Linux does; enforced are NOFILE, AS, DATA, FSIZE and, at the start, STACK, where they belong. */
#include "libos/klib/errno.h"
#include "libos/mem/uaccess.h"
#include "libos/sys/cred.h"
#include "libos/sys/limits.h"
#include "libos/sys/syscall.h"

#define NOFILE_MAX (1u << 20) /* fs.nr_open */

static struct rlimit64 limits[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_STACK] = {RLIMIT_STACK_DEFAULT, RLIM_INFINITY},
	[RLIMIT_CORE] = {0, RLIM_INFINITY},
	[RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_NPROC] = {4096, 4096},
	[RLIMIT_NOFILE] = {1024, NOFILE_MAX},
	[RLIMIT_MEMLOCK] = {8u << 20, 8u << 20},
	[RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_SIGPENDING] = {4096, 4096},
	[RLIMIT_MSGQUEUE] = {819200, 819200},
	[RLIMIT_NICE] = {0, 0},
	[RLIMIT_RTPRIO] = {0, 0},
	[RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
};

uint64_t rlimit_soft(unsigned resource)
{
	return limits[resource].cur;
}

uint64_t rlimit_hard(unsigned resource)
{
	return limits[resource].max;
}

static long limit_get(unsigned resource, uptr_t dst)
{
	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	return put_user(dst, &limits[resource]) < 0 ? -EFAULT : 0;
}

/* Root may raise the hard limit, NOFILE's to nr_open. */
static long limit_set(unsigned resource, const struct rlimit64 *limit)
{
	if (resource >= RLIM_NLIMITS || limit->cur > limit->max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && limit->max > NOFILE_MAX)
		return -EPERM;
	if (limit->max > limits[resource].max && !cred_has(CAP_SYS_RESOURCE))
		return -EPERM;
	limits[resource] = *limit;
	return 0;
}

long sys_getrlimit(const uint64_t a[6])
{
	return limit_get((unsigned)a[0], a[1]);
}

long sys_setrlimit(const uint64_t a[6])
{
	struct rlimit64 limit;

	if (get_user(&limit, a[1]) < 0)
		return -EFAULT;
	return limit_set((unsigned)a[0], &limit);
}

long sys_prlimit64(const uint64_t a[6])
{
	int pid = (int)a[0];
	unsigned resource = (unsigned)a[1];
	struct rlimit64 new, old;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (pid != 0 && pid != 1)
		return -ESRCH;
	old = limits[resource];
	if (a[2]) {
		long r;

		if (get_user(&new, a[2]) < 0)
			return -EFAULT;
		r = limit_set(resource, &new);
		if (r < 0)
			return r;
	}
	return a[3] && put_user(a[3], &old) < 0 ? -EFAULT : 0;
}
