/* SPDX-License-Identifier: Apache-2.0 */
/* Options of level SOL_SOCKET (socket(7)), for all families, and the two system calls. */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/sock.h"
#include "libos/sys/syscall.h"

#define OPT_MAX 256u
#define BUF_MIN 2048u
#define BUF_MAX (4u * 1024 * 1024) /* net.core.rmem_max and wmem_max */

int opt_int(const void *val, unsigned len, int *out)
{
	if (len < sizeof(*out))
		return -EINVAL;
	memcpy(out, val, sizeof(*out));
	return 0;
}

/* As Linux: an int, cut to what there is room for. */
int opt_put_int(void *val, unsigned *len, int value)
{
	*len = *len < sizeof(value) ? *len : (unsigned)sizeof(value);
	memcpy(val, &value, *len);
	return 0;
}

static int put_bytes(void *val, unsigned *len, const void *from, size_t n)
{
	*len = *len < n ? *len : (unsigned)n;
	memcpy(val, from, *len);
	return 0;
}

static uint32_t buffer_bytes(int v)
{
	uint32_t n = v < 0 ? 0 : (uint32_t)v;

	n = (n < BUF_MAX / 2 ? n : BUF_MAX / 2) *
		2; /* doubled, as Linux does for its bookkeeping */
	return n < BUF_MIN ? BUF_MIN : n;
}

static int set_timeout(uint64_t *ns, const void *val, unsigned len)
{
	struct sock_timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	if (tv.sec < 0)
		return 0;
	if (tv.sec > 1000000000)
		tv.sec = 0; /* for ever */
	*ns = (uint64_t)tv.sec * NS_PER_SEC + (uint64_t)tv.usec * 1000;
	return 0;
}

static int get_timeout(uint64_t ns, void *val, unsigned *len)
{
	struct sock_timeval tv = {(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC / 1000)};

	return put_bytes(val, len, &tv, sizeof(tv));
}

static int set_linger(struct sock *s, const void *val, unsigned len)
{
	if (len < sizeof(s->linger))
		return -EINVAL;
	memcpy(&s->linger, val, sizeof(s->linger));
	s->linger.onoff = s->linger.onoff != 0;
	return 0;
}

/* The option that is only a flag, or NULL. */
static bool *flag_of(struct sock *s, int name)
{
	switch (name) {
	case SO_REUSEADDR:
		return &s->reuseaddr;
	case SO_REUSEPORT:
		return &s->reuseport;
	case SO_KEEPALIVE:
		return &s->keepalive;
	case SO_BROADCAST:
		return &s->broadcast;
	case SO_PASSCRED:
		return &s->passcred;
	case SO_OOBINLINE:
		return &s->oobinline;
	case SO_TIMESTAMP:
		return &s->timestamp;
	case SO_DONTROUTE:
		return &s->dontroute;
	case SO_DEBUG:
		return &s->debug;
	default:
		return NULL;
	}
}

static int set_int(struct sock *s, int name, int v)
{
	bool *flag = flag_of(s, name);

	if (flag) {
		*flag = v != 0;
		return 0;
	}
	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		s->sndbuf = buffer_bytes(v);
		return 0;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		s->rcvbuf = buffer_bytes(v);
		return 0;
	case SO_RCVLOWAT:
		s->rcvlowat = v <= 0 ? 1 : (uint32_t)v;
		return 0;
	case SO_PRIORITY:
		s->priority = (uint32_t)v;
		return 0;
	case SO_MARK:
	case SO_NO_CHECK:
	case SO_INCOMING_CPU:
		return 0;
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_ACCEPTCONN:
	case SO_SNDLOWAT:
	default:
		return -ENOPROTOOPT;
	}
}

int sock_setopt(struct sock *s, int name, const void *val, unsigned len)
{
	int v, rc;

	if (name == SO_LINGER)
		return set_linger(s, val, len);
	if (name == SO_RCVTIMEO || name == SO_SNDTIMEO)
		return set_timeout(name == SO_RCVTIMEO ? &s->rcvtimeo : &s->sndtimeo, val, len);
	if (name == SO_BINDTODEVICE)
		return -ENODEV;
	rc = opt_int(val, len, &v);
	if (rc == 0)
		rc = set_int(s, name, v);
	if (rc == 0 && s->ops->option_changed)
		s->ops->option_changed(s, name);
	return rc;
}

int sock_getopt(struct sock *s, int name, void *val, unsigned *len)
{
	bool *flag = flag_of(s, name);

	if (flag)
		return opt_put_int(val, len, *flag);
	switch (name) {
	case SO_TYPE:
		return opt_put_int(val, len, (int)s->type);
	case SO_PROTOCOL:
		return opt_put_int(val, len, s->protocol);
	case SO_DOMAIN:
		return opt_put_int(val, len, s->domain);
	case SO_ERROR:
		return opt_put_int(val, len, -sock_error(s));
	case SO_ACCEPTCONN:
		return opt_put_int(val, len, s->listening);
	case SO_SNDBUF:
		return opt_put_int(val, len, (int)s->sndbuf);
	case SO_RCVBUF:
		return opt_put_int(val, len, (int)s->rcvbuf);
	case SO_RCVLOWAT:
		return opt_put_int(val, len, (int)s->rcvlowat);
	case SO_SNDLOWAT:
		return opt_put_int(val, len, 1);
	case SO_PRIORITY:
		return opt_put_int(val, len, (int)s->priority);
	case SO_LINGER:
		return put_bytes(val, len, &s->linger, sizeof(s->linger));
	case SO_RCVTIMEO:
		return get_timeout(s->rcvtimeo, val, len);
	case SO_SNDTIMEO:
		return get_timeout(s->sndtimeo, val, len);
	case SO_MARK:
	case SO_NO_CHECK:
	case SO_ZEROCOPY:
		return opt_put_int(val, len, 0);
	case SO_INCOMING_CPU:
		return opt_put_int(val, len, 0);
	case SO_BINDTODEVICE:
		*len = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* ---- system calls */

static int sock_of_fd(int fd, struct sock **s)
{
	struct file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	*s = sock_of(f);
	return *s ? 0 : -ENOTSOCK;
}

long sys_setsockopt(const uint64_t a[6])
{
	int level = (int)a[1], name = (int)a[2], len = (int)a[4];
	char val[OPT_MAX] = {0};
	struct sock *s;
	int rc = sock_of_fd((int)a[0], &s);

	if (rc < 0)
		return rc;
	if (len < 0)
		return -EINVAL;
	unsigned n = (unsigned)len < OPT_MAX ? (unsigned)len : OPT_MAX;
	rc = copy_from_user(val, a[3], n);
	if (rc < 0)
		return rc;
	if (level == SOL_SOCKET) {
		rc = sock_setopt(s, name, val, n);
		if (rc != -ENOPROTOOPT)
			return rc;
	}
	return s->ops->setopt         ? s->ops->setopt(s, level, name, val, n)
		: level == SOL_SOCKET ? -ENOPROTOOPT
				      : -EOPNOTSUPP;
}

/* What Linux has for a level that is not the socket's, when it is asked (not when it is set) and the socket is of IPv4. */
static bool unknown_level(const struct sock *s, int level)
{
	return s->domain == AF_INET && level != SOL_SOCKET && level != IPPROTO_IP &&
		level != s->protocol;
}

long sys_getsockopt(const uint64_t a[6])
{
	int level = (int)a[1], name = (int)a[2], len;
	char val[OPT_MAX] = {0};
	struct sock *s;
	int rc = sock_of_fd((int)a[0], &s);

	if (rc == 0)
		rc = get_user(&len, a[4]);
	if (rc < 0)
		return rc;
	if (len < 0)
		return -EINVAL;
	unsigned n = (unsigned)len < OPT_MAX ? (unsigned)len : OPT_MAX;
	rc = -ENOPROTOOPT;
	if (level == SOL_SOCKET)
		rc = sock_getopt(s, name, val, &n);
	if (rc == -ENOPROTOOPT)
		rc = s->ops->getopt           ? s->ops->getopt(s, level, name, val, &n)
			: level == SOL_SOCKET ? rc
					      : -EOPNOTSUPP;
	if (rc == -ENOPROTOOPT && unknown_level(s, level))
		rc = -EOPNOTSUPP;
	if (rc < 0)
		return rc;
	rc = copy_to_user(a[3], val, n);
	len = (int)n;
	return rc < 0 ? rc : put_user(a[4], &len);
}
