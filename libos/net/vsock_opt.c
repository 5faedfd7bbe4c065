/* SPDX-License-Identifier: Apache-2.0 */
/* Options of level AF_VSOCK (vsock(7)). */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/vsock.h"

#define BUF_LIMIT       (64u * 1024 * 1024) /* what a buffer can be; Linux has no limit but memory */
#define CONNECT_NS      (2 * NS_PER_SEC)
#define TIMEOUT_MAX_SEC 1000000000

static uint64_t limited(uint64_t bytes)
{
	return bytes < BUF_LIMIT ? bytes : BUF_LIMIT;
}

/* A new size within its bounds; the peer hears of it. */
static void set_size(struct vsock *v, uint64_t bytes)
{
	if (bytes > v->buf_max)
		bytes = v->buf_max;
	if (bytes < v->buf_min)
		bytes = v->buf_min;
	if (bytes == 0)
		bytes = 1; /* with no room at all nothing ever comes */
	if (bytes == v->buf_bytes)
		return;
	v->buf_bytes = bytes;
	if (vsock_grow(v) < 0)
		v->buf_bytes = v->ring_bytes;
	if (v->state == VSOCK_OPEN)
		vsock_tell(v, VIRTIO_VSOCK_OP_CREDIT, 0);
}

static int set_bytes(struct vsock *v, int name, const void *val, unsigned len)
{
	uint64_t bytes;

	if (len < sizeof(bytes))
		return -EINVAL;
	memcpy(&bytes, val, sizeof(bytes));
	bytes = limited(bytes);
	if (name == SO_VM_SOCKETS_BUFFER_MIN_SIZE)
		v->buf_min = bytes;
	else if (name == SO_VM_SOCKETS_BUFFER_MAX_SIZE)
		v->buf_max = bytes;
	set_size(v, name == SO_VM_SOCKETS_BUFFER_SIZE ? bytes : v->buf_bytes);
	return 0;
}

static int set_timeout(struct vsock *v, const void *val, unsigned len)
{
	struct sock_timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.sec < 0 || tv.usec < 0 || tv.usec >= 1000000 || tv.sec > TIMEOUT_MAX_SEC)
		return -ERANGE;
	v->connect_ns = (uint64_t)tv.sec * NS_PER_SEC + (uint64_t)tv.usec * 1000;
	if (v->connect_ns == 0)
		v->connect_ns = CONNECT_NS;
	return 0;
}

int vsock_setopt(struct sock *s, int level, int name, const void *val, unsigned len)
{
	struct vsock *v = vsock_of(s);

	if (level != AF_VSOCK)
		return -ENOPROTOOPT;
	switch (name) {
	case SO_VM_SOCKETS_BUFFER_SIZE:
	case SO_VM_SOCKETS_BUFFER_MIN_SIZE:
	case SO_VM_SOCKETS_BUFFER_MAX_SIZE:
		return set_bytes(v, name, val, len);
	case SO_VM_SOCKETS_CONNECT_TIMEOUT:
	case SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW:
		return set_timeout(v, val, len);
	default:
		return -ENOPROTOOPT;
	}
}

static int put(void *val, unsigned *len, const void *from, unsigned n)
{
	if (*len < n)
		return -EINVAL;
	memcpy(val, from, n);
	*len = n;
	return 0;
}

int vsock_getopt(struct sock *s, int level, int name, void *val, unsigned *len)
{
	const struct vsock *v = vsock_of(s);
	struct sock_timeval tv = {.sec = (int64_t)(v->connect_ns / NS_PER_SEC),
		.usec = (int64_t)(v->connect_ns % NS_PER_SEC / 1000)};

	if (level != AF_VSOCK)
		return -ENOPROTOOPT;
	switch (name) {
	case SO_VM_SOCKETS_BUFFER_SIZE:
		return put(val, len, &v->buf_bytes, sizeof(v->buf_bytes));
	case SO_VM_SOCKETS_BUFFER_MIN_SIZE:
		return put(val, len, &v->buf_min, sizeof(v->buf_min));
	case SO_VM_SOCKETS_BUFFER_MAX_SIZE:
		return put(val, len, &v->buf_max, sizeof(v->buf_max));
	case SO_VM_SOCKETS_CONNECT_TIMEOUT:
	case SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW:
		return put(val, len, &tv, sizeof(tv));
	default:
		return -ENOPROTOOPT;
	}
}
