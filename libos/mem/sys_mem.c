/* SPDX-License-Identifier: Apache-2.0 */
/* mmap(2) and its family. Flags that make no difference in a libOS (DENYWRITE, STACK, HUGETLB hints, locking) are taken and ignored. */
#include "libos/fs/file.h"
#include "libos/klib/errno.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sys/syscall.h"

#define MAP_TYPE            0x0fu
#define MAP_SHARED_VALIDATE 3
#define MAP_HUGETLB         0x40000
#define MAP_KNOWN           0x1fffff

#define PROT_VALID 0x0300000f /* with SEM, GROWSDOWN, GROWSUP */

#define MADV_NORMAL         0
#define MADV_WILLNEED       3
#define MADV_DONTNEED       4
#define MADV_FREE           8
#define MADV_REMOVE         9
#define MADV_DONTFORK       10
#define MADV_COLLAPSE       25
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23

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
	return 0;
}

long sys_mmap(const uint64_t a[6])
{
	int prot = (int)a[2], flags = (int)a[3], type = flags & (int)MAP_TYPE, r;
	struct file *f = NULL;

	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (flags & MAP_HUGETLB)
		return -ENOMEM;
	if (type == MAP_SHARED_VALIDATE)
		flags &= ~2;
	flags &= MAP_KNOWN; /* above are the libOS's own, and sizes of huge pages */
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_file((int)a[4]);
		if (!f)
			return -EBADF;
		r = check_file(f, prot, flags);
		if (r)
			return r;
		if (a[5] + a[1] < a[5])
			return -EOVERFLOW;
	}
	return vm_map(a[0], a[1], prot, flags, f, f ? a[5] : 0);
}

long sys_munmap(const uint64_t a[6])
{
	return vm_unmap(a[0], a[1]);
}

long sys_mprotect(const uint64_t a[6])
{
	if (a[2] & ~(uint64_t)PROT_VALID)
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

long sys_madvise(const uint64_t a[6])
{
	int advice = (int)a[2];

	if (a[0] & PAGE_MASK)
		return -EINVAL;
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
		return vm_discard(a[0], a[1]);
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		if (!vm_is_mapped(a[0], a[1]))
			return -ENOMEM;
		vm_populate(a[0], page_round_up(a[1]));
		return 0;
	case MADV_REMOVE:
		return -EINVAL;
	default:
		if (advice < 0 || advice > MADV_COLLAPSE ||
			(advice > MADV_WILLNEED && advice < MADV_DONTFORK))
			return -EINVAL;
		return !a[1] || vm_is_mapped(a[0], a[1]) ? 0 : -ENOMEM;
	}
}

long sys_msync(const uint64_t a[6])
{
	if (a[0] & PAGE_MASK || a[2] & ~7ull || (a[2] & 5) == 5)
		return -EINVAL;
	/* shared mappings are the file's own frames: there is nothing to write back */
	return !a[1] || vm_is_mapped(a[0], a[1]) ? 0 : -ENOMEM;
}

long sys_mincore(const uint64_t a[6])
{
	uint8_t one = 1;

	if (a[0] & PAGE_MASK)
		return -EINVAL;
	if (a[1] && !vm_is_mapped(a[0], a[1]))
		return -ENOMEM;
	for (uint64_t i = 0; i < page_round_up(a[1]) / PAGE_BYTES; i++) {
		if (put_user(a[2] + i, &one))
			return -EFAULT;
	}
	return 0;
}
