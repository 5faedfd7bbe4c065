/* SPDX-License-Identifier: Apache-2.0 */
/* mmap(2) and its family. Flags that make no difference in a libOS (DENYWRITE, STACK, HUGETLB hints) are taken and ignored. */
#include "libos/fs/file.h"
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sys/syscall.h"

#define MAP_TYPE            0x0fu
#define MAP_SHARED_VALIDATE 3
#define MAP_HUGETLB         0x40000
#define MAP_KNOWN           0x1fffff
#define MAP_LEGACY          0x7c07f973u /* all flags that MAP_SHARED_VALIDATE takes with any file */

#define PROT_SEM   8
#define PROT_VALID (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP)

#define MADV_DONTNEED       4
#define MADV_FREE           8
#define MADV_REMOVE         9
#define MADV_MERGEABLE      12
#define MADV_UNMERGEABLE    13
#define MADV_COLLAPSE       25
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23

#define MADV_WIPEONFORK 18

#define MS_INVALIDATE 2u
#define MS_SYNC       4u

#define O_ACCMODE 3u
#define O_RDONLY  0u
#define O_WRONLY  1u
#define O_RDWR    2u

static int check_file(const struct file *f, int prot, int flags)
{
	unsigned mode = f->flags & O_ACCMODE;

	if (!f->ops->get_page)
		return -ENODEV;
	if (mode == O_WRONLY)
		return -EACCES;
	if ((flags & MAP_TYPE) != MAP_PRIVATE && prot & PROT_WRITE && mode != O_RDWR)
		return -EACCES;
	if ((flags & MAP_TYPE) != MAP_PRIVATE && prot & PROT_WRITE && file_sealed(f))
		return -EPERM;
	return 0;
}

long sys_mmap(const uint64_t a[6])
{
	int prot = (int)a[2], flags = (int)a[3], type = flags & (int)MAP_TYPE, r;
	struct file *f = NULL;

	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE) {
		if (flags & MAP_ANONYMOUS)
			return -EINVAL;
		if ((unsigned)flags & ~MAP_LEGACY)
			return -EOPNOTSUPP;
		flags &= ~2;
	}
	if (flags & MAP_HUGETLB)
		return flags & MAP_ANONYMOUS ? -ENOMEM : -EINVAL;
	flags &= MAP_KNOWN; /* above are the libOS's own, and sizes of huge pages */
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_file((int)a[4]);
		if (!f)
			return -EBADF;
		if (!a[1])
			return -EINVAL;
		r = check_file(f, prot, flags);
		if (r)
			return r;
		if (a[5] + a[1] < a[5])
			return -EOVERFLOW;
	}
	r = vm_may_map_locked(page_round_up(a[1]), flags);
	if (r)
		return r;
	if (f)
		file_accessed(f);
	return vm_map(a[0], a[1], prot, flags, f, f ? a[5] : 0);
}

long sys_munmap(const uint64_t a[6])
{
	if (!(a[0] & PAGE_MASK) && a[1] && a[1] <= UIG_USER_TOP && a[0] <= UIG_USER_TOP - a[1])
		vm_writeback(a[0], a[1], false); /* an error shows at fsync, as elsewhere */
	return vm_unmap(a[0], a[1]);
}

long sys_mprotect(const uint64_t a[6])
{
	/* nothing grows up here */
	if (a[2] & ~(uint64_t)PROT_VALID || a[2] & PROT_GROWSUP)
		return -EINVAL;
	return vm_protect(a[0], a[1], (int)a[2]);
}

long sys_mremap(const uint64_t a[6])
{
	return vm_remap(a[0], a[1], a[2], (int)a[3], a[4]);
}

long sys_brk(const uint64_t a[6])
{
	return (long)vm_brk(a[0]);
}

static long advise(uptr_t addr, uint64_t len, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		return vm_discard(addr, len, VM_DISCARD_OWN);
	case MADV_FREE:
		return vm_discard(addr, len, VM_DISCARD_FREE);
	case MADV_REMOVE:
		return vm_discard(addr, len, VM_DISCARD_REMOVE);
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		if (!vm_is_mapped(addr, len))
			return -ENOMEM;
		vm_populate(addr, len);
		return 0;
	case MADV_WIPEONFORK:
		return vm_discard(addr, len, VM_DISCARD_NOTHING);
	default:
		return vm_is_mapped(addr, len) ? 0 : -ENOMEM;
	}
}

long sys_madvise(const uint64_t a[6])
{
	uint64_t len = page_round_up(a[1]);
	int advice = (int)a[2];

	if (advice < 0 || advice > MADV_COLLAPSE || (advice > MADV_DONTNEED && advice < MADV_FREE))
		return -EINVAL;
	if (advice == MADV_MERGEABLE || advice == MADV_UNMERGEABLE) /* as without CONFIG_KSM */
		return -EINVAL;
	if (a[0] & PAGE_MASK || len < a[1] || a[0] + len < a[0])
		return -EINVAL;
	return len ? advise(a[0], len, advice) : 0;
}

long sys_msync(const uint64_t a[6])
{
	if (a[0] & PAGE_MASK || a[2] & ~7ull || (a[2] & 5) == 5)
		return -EINVAL;
	if (a[1] && !vm_is_mapped(a[0], a[1]))
		return -ENOMEM;
	if (a[2] & MS_INVALIDATE && vm_locked(a[0], a[0] + page_round_up(a[1])))
		return -EBUSY;
	return a[1] ? vm_writeback(a[0], a[1], a[2] & MS_SYNC) : 0;
}

long sys_mincore(const uint64_t a[6])
{
	if (a[0] & PAGE_MASK)
		return -EINVAL;
	if (a[1] && !vm_is_mapped(a[0], a[1]))
		return -ENOMEM;
	for (uint64_t i = 0; i < page_round_up(a[1]) / PAGE_BYTES; i++) {
		uint8_t there = vm_is_resident(a[0] + i * PAGE_BYTES);

		if (put_user(a[2] + i, &there))
			return -EFAULT;
	}
	return 0;
}
