/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies are one instruction, which may fault: the page-fault handler brings the page in and lets it go on, or sends it to its
 * fix-up, where RCX tells how much is left. Write protection holds for the libOS too, because it runs at CPL 3.
 */
#include "libos/mem/uaccess.h"

#include "abi/layout.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/arch/x86_64/pt.h"

#define IOV_TOTAL_MAX 0x7ffff000ull

/* After a fault that can not be helped execution goes on behind the instruction. */
#define MAY_FAULT(insn)                                                                            \
	"1: " insn "\n2:\n\t.pushsection .extable, \"a\"\n\t.quad 1b, 2b\n\t.popsection\n"

static bool range_good(uptr_t addr, size_t n)
{
	return addr <= UIG_USER_TOP && n <= UIG_USER_TOP - addr;
}

static size_t copy_bytes(void *dst, const void *src, size_t n)
{
	__asm__ volatile(MAY_FAULT("rep movsb") : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
	return n;
}

int copy_from_user(void *dst, uptr_t src, size_t n)
{
	return range_good(src, n) && !copy_bytes(dst, (const void *)src, n) ? 0 : -EFAULT;
}

int copy_to_user(uptr_t dst, const void *src, size_t n)
{
	return range_good(dst, n) && !copy_bytes((void *)dst, src, n) ? 0 : -EFAULT;
}

int clear_user(uptr_t dst, size_t n)
{
	void *d = (void *)dst;

	if (!range_good(dst, n))
		return -EFAULT;
	__asm__ volatile(MAY_FAULT("rep stosb") : "+D"(d), "+c"(n) : "a"(0) : "memory");
	return n ? -EFAULT : 0;
}

/* A byte, or -1. */
static int get_byte(uptr_t at)
{
	int value = -1;

	__asm__ volatile(MAY_FAULT("movzbl (%1), %0") : "+r"(value) : "r"(at) : "memory");
	return value;
}

long strncpy_from_user(char *dst, uptr_t src, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int c = src + i < UIG_USER_TOP ? get_byte(src + i) : -1;

		if (c < 0)
			return -EFAULT;
		dst[i] = (char)c;
		if (!c)
			return (long)i;
	}
	return -ENAMETOOLONG;
}

void *user_range(uptr_t addr, size_t n, int write)
{
	bool accerr;

	if (!range_good(addr, n))
		return NULL;
	for (uptr_t at = page_round_down(addr); at < addr + n; at += PAGE_BYTES) {
		const uint64_t *pte = pt_find(at, NULL);

		if (pte && *pte & PTE_PRESENT && (!write || *pte & PTE_WRITE))
			continue;
		if (vm_fault(at, write, false, false, &accerr))
			return NULL;
	}
	return (void *)addr;
}

static long check_iovec(struct kiovec *iov, int count)
{
	uint64_t total = 0;

	for (int i = 0; i < count; i++) {
		if ((int64_t)iov[i].len < 0)
			return -EINVAL;
		if (!range_good(iov[i].base, iov[i].len))
			return -EFAULT;
		if (iov[i].len > IOV_TOTAL_MAX - total)
			iov[i].len = IOV_TOTAL_MAX - total;
		total += iov[i].len;
	}
	return (long)total;
}

long iovec_from_user(struct kiovec *fast, struct kiovec **iov, uptr_t uiov, int count)
{
	long r;

	*iov = fast;
	if (count < 0 || count > KIOV_MAX)
		return -EINVAL;
	if (count > KIOV_FAST) {
		*iov = kmalloc((size_t)count * sizeof(**iov));
		if (!*iov) {
			*iov = fast;
			return -ENOMEM;
		}
	}
	r = copy_from_user(*iov, uiov, (size_t)count * sizeof(**iov));
	if (!r)
		r = check_iovec(*iov, count);
	if (r < 0) {
		iovec_free(fast, *iov);
		*iov = fast;
	}
	return r;
}

void iovec_free(struct kiovec *fast, struct kiovec *iov)
{
	if (iov != fast)
		kfree(iov);
}
