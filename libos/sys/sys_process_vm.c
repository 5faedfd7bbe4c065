/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_readv(2) and process_vm_writev(2): there is one process, so the other one is always the caller itself. */
#include "libos/klib/errno.h"
#include "libos/mem/uaccess.h"
#include "libos/sys/syscall.h"

#include <stdbool.h>

#define OWN_PID     1
#define PIECE_BYTES 512u

/* Goes along two lists of ranges; both counts are checked. */
struct cursor {
	const struct kiovec *iov;
	int count;
	uint64_t done; /* of the first range */
};

static uint64_t left(struct cursor *c)
{
	while (c->count && c->done == c->iov->len) {
		c->iov++;
		c->count--;
		c->done = 0;
	}
	return c->count ? c->iov->len - c->done : 0;
}

static long transfer(struct cursor *to, struct cursor *from)
{
	uint8_t piece[PIECE_BYTES];
	uint64_t n, most;
	long total = 0;

	while ((n = left(to)) && (most = left(from))) {
		if (n > most)
			n = most;
		if (n > sizeof(piece))
			n = sizeof(piece);
		if (copy_from_user(piece, from->iov->base + from->done, n) ||
			copy_to_user(to->iov->base + to->done, piece, n))
			return total ? total : -EFAULT;
		to->done += n;
		from->done += n;
		total += (long)n;
	}
	return total;
}

/* The other side's ranges: bad addresses are found by the copy. */
static long remote_iovec(struct kiovec *fast, struct kiovec **iov, uptr_t user, uint64_t count)
{
	if (count > KIOV_MAX)
		return -EINVAL;
	return iovec_from_user(fast, iov, user, (int)count);
}

static long process_vm(const uint64_t a[6], bool write)
{
	struct kiovec fast[2][KIOV_FAST], *mine, *other;
	long r;

	if (a[5] || a[2] > KIOV_MAX)
		return -EINVAL;
	r = iovec_from_user(fast[0], &mine, a[1], (int)a[2]);
	if (r <= 0)
		return r;
	r = remote_iovec(fast[1], &other, a[3], a[4]);
	if (r >= 0 && (int)a[0] != OWN_PID)
		r = -ESRCH;
	if (r > 0) {
		struct cursor local = {mine, (int)a[2], 0}, remote = {other, (int)a[4], 0};

		r = write ? transfer(&remote, &local) : transfer(&local, &remote);
	}
	iovec_free(fast[1], other);
	iovec_free(fast[0], mine);
	return r;
}

long sys_process_vm_readv(const uint64_t a[6])
{
	return process_vm(a, false);
}

long sys_process_vm_writev(const uint64_t a[6])
{
	return process_vm(a, true);
}
