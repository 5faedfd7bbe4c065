/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that carry data: send*, recv* and their many-message forms, with control messages (descriptors, credentials). */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/addr.h"
#include "libos/net/sock.h"
#include "libos/sys/syscall.h"

#define O_NONBLOCK  SOCK_NONBLOCK
#define CONTROL_MAX 20480u /* net.core.optmem_max */
#define MMSG_MAX    1024u  /* UIO_MAXIOV */

static bool is_nonblock(const struct file *f, unsigned flags)
{
	return (f->flags & O_NONBLOCK) || (flags & MSG_DONTWAIT);
}

/* ---- one buffer */

long sys_sendto(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[3], alen = (unsigned)a[5];
	struct kiovec iov = {a[1], a[2]};
	union sockaddr_any addr;
	struct iter it;
	struct file *f;
	struct sock *s;
	long rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	struct sock_msg m = {.it = &it, .flags = flags, .nonblock = is_nonblock(f, flags)};
	if (a[4] && alen > 0) {
		rc = (int)alen < 0 ? -EINVAL : addr_from_user(&addr, a[4], alen);
		m.addr = &addr;
		m.addr_len = alen;
	}
	if (rc == 0) {
		if (iov.len > INT32_MAX)
			iov.len = INT32_MAX & ~4095ull;
		iter_user(&it, &iov, 1, iov.len);
		rc = s->ops->send ? s->ops->send(s, &m) : -EOPNOTSUPP;
	}
	file_put(f);
	return rc;
}

long sys_recvfrom(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[3];
	struct kiovec iov = {a[1], a[2]};
	union sockaddr_any addr;
	struct iter it;
	struct file *f;
	struct sock *s;
	long rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	struct sock_msg m = {.it = &it,
		.flags = flags,
		.nonblock = is_nonblock(f, flags),
		.addr = a[4] ? &addr : NULL};
	if (iov.len > INT32_MAX)
		iov.len = INT32_MAX & ~4095ull;
	iter_user(&it, &iov, 1, iov.len);
	rc = s->ops->recv ? s->ops->recv(s, &m) : -EOPNOTSUPP;
	file_put(f);
	if (rc >= 0 && a[4]) {
		int e = addr_to_user(&addr, m.addr_len, a[4], a[5]);
		if (e < 0)
			return e;
	}
	return rc;
}

/* ---- control messages */

static int ctl_take_fds(struct sock_ctl *ctl, const char *data, size_t n)
{
	unsigned count = (unsigned)(n / sizeof(int));

	if (n % sizeof(int) != 0 || ctl->nfiles + count > SCM_MAX_FD)
		return -EINVAL;
	struct file **file = krealloc(ctl->file, (ctl->nfiles + count + 1) * sizeof(*file));
	if (!file)
		return -ENOMEM;
	ctl->file = file;
	for (unsigned i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(int), sizeof(fd));
		struct file *f = fd_file_get(fd);
		if (!f)
			return -EBADF;
		ctl->file[ctl->nfiles++] = f;
	}
	return 0;
}

/* Reads the control messages in buf. On failure ctl may hold files that the caller drops. */
static int ctl_parse(struct sock_ctl *ctl, const char *buf, size_t len, int domain)
{
	size_t at = 0;

	while (len - at >= sizeof(struct cmsghdr)) {
		struct cmsghdr h;
		int rc = 0;

		memcpy(&h, buf + at, sizeof(h));
		if (h.len < sizeof(h) || h.len > len - at)
			return -EINVAL;
		const char *data = buf + at + sizeof(h);
		size_t n = h.len - sizeof(h);
		if (h.level == SOL_SOCKET && domain == AF_UNIX) {
			if (h.type == SCM_RIGHTS)
				rc = ctl_take_fds(ctl, data, n);
			else if (h.type != SCM_CREDENTIALS || n != sizeof(struct ucred))
				rc = -EINVAL;
		} else if (h.level == SOL_SOCKET) {
			rc = -EINVAL;
		} else if ((h.level == SOL_IP && (domain == AF_INET || domain == AF_INET6)) ||
			(h.level == SOL_IPV6 && domain == AF_INET6)) {
			rc = cmsg_ip_take(&ctl->ip, &h, data, n);
		}
		if (rc < 0)
			return rc;
		uint64_t step = CMSG_ALIGN(h.len);
		if (step >= len - at)
			break;
		at += step;
	}
	return 0;
}

static int ctl_from_user(struct sock_ctl *ctl, uptr_t from, uint64_t len, int domain)
{
	if (len == 0)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	char *buf = kmalloc(len);
	if (!buf)
		return -ENOMEM;
	int rc = copy_from_user(buf, from, len);
	if (rc == 0)
		rc = ctl_parse(ctl, buf, len, domain);
	kfree(buf);
	return rc;
}

/* Installs descriptors, as many as there is room for. */
static int ctl_put_fds(struct cmsg_out *o, struct sock_ctl *ctl, bool cloexec, unsigned *flags)
{
	uint64_t room = o->left > sizeof(struct cmsghdr)
		? (o->left - sizeof(struct cmsghdr)) / sizeof(int)
		: 0;
	unsigned n = 0;
	int rc = 0;

	while (n < ctl->nfiles && n < room) {
		int fd = fd_install(file_get(ctl->file[n]), cloexec);
		if (fd < 0) {
			file_put(ctl->file[n]);
			break;
		}
		rc = put_user(o->at + sizeof(struct cmsghdr) + n * sizeof(int), &fd);
		if (rc < 0)
			return rc;
		n++;
	}
	if (n < ctl->nfiles)
		*flags |= MSG_CTRUNC;
	if (n > 0) {
		struct cmsghdr h = {sizeof(h) + n * sizeof(int), SOL_SOCKET, SCM_RIGHTS};

		rc = put_user(o->at, &h);
		cmsg_step(o, h.len);
	}
	return rc;
}

static int ctl_to_user(struct cmsg_out *o, struct sock_ctl *ctl, bool cloexec, unsigned *flags)
{
	int rc = 0;

	if (ctl->have_cred) {
		if (o->left < sizeof(struct cmsghdr) + sizeof(ctl->cred))
			*flags |= MSG_CTRUNC;
		else
			rc = cmsg_put(o, SOL_SOCKET, SCM_CREDENTIALS, &ctl->cred, sizeof(ctl->cred),
				flags);
	}
	if (rc == 0)
		rc = cmsg_ip_put(o, &ctl->ip, flags);
	if (rc == 0 && ctl->nfiles > 0)
		rc = ctl_put_fds(o, ctl, cloexec, flags);
	return rc;
}

/* ---- messages */

static long msg_iov(const struct user_msghdr *h, struct kiovec *fast, struct kiovec **iov)
{
	return h->iovlen > KIOV_MAX ? -EMSGSIZE
				    : iovec_from_user(fast, iov, h->iov, (int)h->iovlen);
}

static long send_hdr(struct sock *s, struct file *f, const struct user_msghdr *h, unsigned flags)
{
	struct kiovec fast[KIOV_FAST], *iov;
	union sockaddr_any addr;
	struct sock_ctl ctl = {0};
	struct iter it;
	struct sock_msg m = {.it = &it, .flags = flags, .nonblock = is_nonblock(f, flags)};
	long total = msg_iov(h, fast, &iov), rc = 0;

	if (total < 0)
		return total;
	if (h->name && h->namelen > 0) {
		rc = (int)h->namelen < 0 ? -EINVAL : addr_from_user(&addr, h->name, h->namelen);
		m.addr = &addr;
		m.addr_len = h->namelen;
	}
	if (rc == 0 && h->control)
		rc = ctl_from_user(&ctl, h->control, h->controllen, s->domain);
	if (rc == 0) {
		iter_user(&it, iov, (int)h->iovlen, (uint64_t)total);
		m.ctl = ctl.nfiles > 0 || ctl.ip.have ? &ctl : NULL;
		rc = s->ops->send ? s->ops->send(s, &m) : -EOPNOTSUPP;
	}
	sock_ctl_drop(&ctl); /* a family that took the files has emptied it */
	iovec_free(fast, iov);
	return rc;
}

static long recv_hdr(
	struct sock *s, struct file *f, uptr_t uh, struct user_msghdr *h, unsigned flags)
{
	struct kiovec fast[KIOV_FAST], *iov;
	union sockaddr_any addr;
	struct sock_ctl ctl = {0};
	struct iter it;
	struct sock_msg m = {
		.it = &it,
		.flags = flags,
		.nonblock = is_nonblock(f, flags),
		.addr = h->name ? &addr : NULL,
		.ctl = &ctl,
	};
	long total = msg_iov(h, fast, &iov), n;
	int rc = 0;

	if (total < 0)
		return total;
	iter_user(&it, iov, (int)h->iovlen, (uint64_t)total);
	n = s->ops->recv ? s->ops->recv(s, &m) : -EOPNOTSUPP;
	iovec_free(fast, iov);
	if (n < 0)
		return n;
	if (h->name) {
		unsigned len = m.addr_len < h->namelen ? m.addr_len : h->namelen;
		rc = copy_to_user(h->name, &addr, len);
		h->namelen = m.addr_len;
	}
	struct cmsg_out out = {h->control, h->control ? h->controllen : 0, 0};
	if (rc == 0)
		rc = ctl_to_user(&out, &ctl, (flags & MSG_CMSG_CLOEXEC) != 0, &m.out_flags);
	sock_ctl_drop(&ctl);
	h->controllen = out.used;
	h->flags = m.out_flags | (flags & MSG_CMSG_CLOEXEC);
	if (rc == 0)
		rc = put_user(uh, h);
	return rc < 0 ? rc : n;
}

static long with_hdr(const uint64_t a[6], bool receive)
{
	struct user_msghdr h;
	struct file *f;
	struct sock *s;
	long rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	rc = get_user(&h, a[1]);
	if (rc == 0 && receive)
		rc = recv_hdr(s, f, a[1], &h, (unsigned)a[2]);
	else if (rc == 0)
		rc = send_hdr(s, f, &h, (unsigned)a[2]);
	file_put(f);
	return rc;
}

long sys_sendmsg(const uint64_t a[6])
{
	return with_hdr(a, false);
}

long sys_recvmsg(const uint64_t a[6])
{
	return with_hdr(a, true);
}

static long put_len(uptr_t um, long n)
{
	uint32_t len = (uint32_t)n;

	return n < 0 ? n : copy_to_user(um + offsetof(struct user_mmsghdr, len), &len, sizeof(len));
}

long sys_sendmmsg(const uint64_t a[6])
{
	unsigned count = (unsigned)a[2] < MMSG_MAX ? (unsigned)a[2] : MMSG_MAX, done = 0;
	struct user_msghdr h;
	struct file *f;
	struct sock *s;
	long rc = sock_get((int)a[0], &f, &s);

	if (rc < 0)
		return rc;
	for (; done < count; done++) {
		uptr_t um = a[1] + done * sizeof(struct user_mmsghdr);

		rc = get_user(&h, um);
		if (rc == 0)
			rc = put_len(um, send_hdr(s, f, &h, (unsigned)a[3]));
		if (rc < 0)
			break;
	}
	file_put(f);
	return done > 0 ? (long)done : rc;
}

static int mmsg_deadline(uptr_t timeout, uint64_t *deadline)
{
	int64_t ts[2]; /* struct timespec */
	int rc;

	*deadline = TIME_FOREVER;
	if (!timeout)
		return 0;
	rc = copy_from_user(ts, timeout, sizeof(ts));
	if (rc < 0)
		return rc;
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	*deadline = clock_mono_ns() +
		(uint64_t)(ts[0] < 1000000000 ? ts[0] : 1000000000) * NS_PER_SEC + (uint64_t)ts[1];
	return 0;
}

long sys_recvmmsg(const uint64_t a[6])
{
	unsigned count = (unsigned)a[2] < MMSG_MAX ? (unsigned)a[2] : MMSG_MAX,
		 flags = (unsigned)a[3], done = 0;
	struct user_msghdr h;
	struct file *f;
	struct sock *s;
	uint64_t deadline;
	long rc = mmsg_deadline(a[4], &deadline);

	if (rc == 0)
		rc = sock_get((int)a[0], &f, &s);
	if (rc < 0)
		return rc;
	while (done < count) {
		uptr_t um = a[1] + done * sizeof(struct user_mmsghdr);

		rc = get_user(&h, um);
		if (rc == 0)
			rc = put_len(um, recv_hdr(s, f, um, &h, flags & ~MSG_WAITFORONE));
		if (rc < 0)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (clock_mono_ns() >=
			deadline) /* looked at between messages only, as Linux does */
			break;
	}
	file_put(f);
	return done > 0 ? (long)done : rc;
}
