/* SPDX-License-Identifier: Apache-2.0 */
/* Small arithmetic on lists of iovec, for the devices. */
#ifndef VMM_VIRTIO_CHAIN_H
#define VMM_VIRTIO_CHAIN_H

#include <stddef.h>
#include <sys/uio.h>

/* Writes what follows the first skip bytes of in[0 .. n) to out (room for n); returns the number of parts. */
static inline unsigned iov_skip(const struct iovec *in, unsigned n, size_t skip, struct iovec *out)
{
	unsigned m = 0;

	for (unsigned i = 0; i < n; i++) {
		if (skip >= in[i].iov_len) {
			skip -= in[i].iov_len;
			continue;
		}
		out[m].iov_base = (char *)in[i].iov_base + skip;
		out[m++].iov_len = in[i].iov_len - skip;
		skip = 0;
	}
	return m;
}

/* Cuts a list to its first max bytes; returns the number of parts. */
static inline unsigned iov_cut(struct iovec *v, unsigned n, size_t max)
{
	unsigned m;

	for (m = 0; m < n && max > 0; m++) {
		/* cppcheck-suppress uninitvar ; the caller filled n parts */
		if (v[m].iov_len > max)
			v[m].iov_len = max;
		max -= v[m].iov_len;
	}
	return m;
}

#endif
