/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlock(2) and its family. Memory is never swapped, so that a lock keeps nothing from happening: what is left is that the memory is there, that it
 * counts (RLIMIT_MEMLOCK, VmLck), and that what is locked is not given away (madvise, msync). MCL_FUTURE counts new mappings and does not fill them.
 */
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/mem/vm_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/limits.h"
#include "libos/sys/syscall.h"

#define MCL_CURRENT 1u
#define MCL_FUTURE  2u
#define MCL_ONFAULT 4u

#define MLOCK_ONFAULT 1u

uint64_t vm_locked(uptr_t start, uptr_t end)
{
	uint64_t bytes = 0;

	for (const struct vma *v = vma_find(&vm.tree, start); v && v->start < end; v = v->next) {
		if (v->flags & MAP_LOCKED)
			bytes += (v->end < end ? v->end : end) -
				(v->start > start ? v->start : start);
	}
	return bytes;
}

static int check_limit(uint64_t bytes, int error)
{
	uint64_t limit = rlimit_soft(RLIMIT_MEMLOCK);

	if (cred_has(CAP_IPC_LOCK))
		return 0;
	if (!limit)
		return -EPERM;
	return bytes > limit ? error : 0;
}

int vm_may_map_locked(uint64_t len, int flags)
{
	if (!(flags & MAP_LOCKED) && !vm.lock_future)
		return 0;
	if (!(flags & MAP_LOCKED) && !rlimit_soft(RLIMIT_MEMLOCK) && !cred_has(CAP_IPC_LOCK))
		return -EAGAIN;
	return check_limit(vm_locked(0, UIG_USER_TOP) + len, -EAGAIN);
}

/* Areas in front of a hole are changed although the call fails. */
static int mark(uptr_t start, uptr_t end, bool lock)
{
	bool covered = vm_covered(start, end);
	int r = vm_split(start, end);

	if (r)
		return r;
	for (struct vma *v = vma_find(&vm.tree, start); v && v->start < end; v = v->next) {
		if (lock && !(v->flags & VMA_VDSO))
			v->flags |= MAP_LOCKED;
		else
			v->flags &= ~MAP_LOCKED;
	}
	vm_join(start, end);
	return covered ? 0 : -ENOMEM;
}

static int range_of(const uint64_t a[6], uptr_t *start, uptr_t *end)
{
	*start = page_round_down(a[0]);
	*end = *start + page_round_up(a[1] + (a[0] & PAGE_MASK));
	if (*end < *start)
		return -EINVAL;
	return *end > *start && !vm_range_ok(*start, *end - *start) ? -ENOMEM : 0;
}

static long lock_range(const uint64_t a[6], bool populate)
{
	uptr_t start = 0, end = 0;
	uint64_t bytes;
	int r = check_limit(0, 0);

	if (!r)
		r = range_of(a, &start, &end);
	if (r || start == end)
		return r;
	bytes = vm_locked(0, UIG_USER_TOP) - vm_locked(start, end) + (end - start);
	r = check_limit(bytes, -ENOMEM);
	if (!r)
		r = mark(start, end, true);
	if (!r && populate)
		vm_populate(start, end - start);
	return r;
}

long sys_mlock(const uint64_t a[6])
{
	return lock_range(a, true);
}

long sys_mlock2(const uint64_t a[6])
{
	if ((unsigned)a[2] & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(a, !(a[2] & MLOCK_ONFAULT));
}

long sys_munlock(const uint64_t a[6])
{
	uptr_t start, end;
	int r = range_of(a, &start, &end);

	return r || start == end ? r : mark(start, end, false);
}

long sys_mlockall(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[0];
	int r;

	if (!flags || flags == MCL_ONFAULT || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return -EINVAL;
	r = check_limit(flags & MCL_CURRENT ? vm.mapped : 0, -ENOMEM);
	if (r)
		return r;
	vm.lock_future = flags & MCL_FUTURE;
	if (flags & MCL_CURRENT)
		mark(0, UIG_USER_TOP, true);
	return 0;
}

long sys_munlockall(const uint64_t a[6])
{
	(void)a;
	vm.lock_future = false;
	mark(0, UIG_USER_TOP, false);
	return 0;
}
