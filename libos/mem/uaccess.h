/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that touches the program's memory on its behalf. An address is good when it lies below UIG_USER_TOP and the
 * program has it mapped with the right protection; missing pages are brought in. A bad one gives -EFAULT and nothing worse.
 */
#ifndef LIBOS_MEM_UACCESS_H
#define LIBOS_MEM_UACCESS_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t uptr_t; /* an address of the program: not a pointer here */

/* 0 or -EFAULT; a part may have been copied then. */
int copy_from_user(void *dst, uptr_t src, size_t n);
int copy_to_user(uptr_t dst, const void *src, size_t n);
int clear_user(uptr_t dst, size_t n);

/* The string with its NUL into dst; its length, -EFAULT, or -ENAMETOOLONG when size is not enough. */
long strncpy_from_user(char *dst, uptr_t src, size_t size);

/* Makes the whole range present with that access, so that until the thread next blocks it can be used through
 * the pointer returned; NULL: -EFAULT. For copying straight between the program and buffers of the network stack. */
void *user_range(uptr_t addr, size_t n, int write);

#define get_user(dst, addr) copy_from_user((dst), (addr), sizeof(*(dst)))
#define put_user(addr, src) copy_to_user((addr), (src), sizeof(*(src)))

/* struct iovec of the program: copied and checked (count, lengths, total below 2 GiB) once. */
struct kiovec {
	uptr_t base;
	uint64_t len;
};
#define KIOV_MAX 1024
/* Fills iov (room for KIOV_FAST or kmalloc'ed: *heap is set and to be kfree'd); returns the total or -errno. */
#define KIOV_FAST 8
long iovec_from_user(struct kiovec *fast, struct kiovec **iov, uptr_t uiov, int count);
void iovec_free(struct kiovec *fast, struct kiovec *iov);

#endif
