/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#define NETNS_DIR  "/run/netns/" /* iproute2's */
#define NETNS_SELF "/proc/self/ns/net"

int netns_open(const char *name, struct netns *ns, struct err *err)
{
	char path[sizeof(NETNS_DIR) + 256];
	int code;

	*ns = (struct netns){.home = -1, .fd = -1};
	if (name && (strchr(name, '/') || !*name || *name == '.'))
		return err_set(err, EINVAL, "\"%s\" is no name of a network namespace", name);
	ns->home = open(NETNS_SELF, O_RDONLY | O_CLOEXEC);
	if (ns->home < 0)
		return err_sys(err, errno, "cannot open %s", NETNS_SELF);
	if (!name)
		return 0;
	snprintf(path, sizeof(path), "%s%s", NETNS_DIR, name);
	ns->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ns->fd < 0) {
		code = errno;
		netns_close(ns);
		if (code == ENOENT)
			return err_set(err, code,
				"there is no network namespace %s: make it with \"ip netns add "
				"%s\"",
				name, name);
		return err_sys(err, code, "cannot open network namespace %s", name);
	}
	return 0;
}

void netns_close(struct netns *ns)
{
	if (ns->home >= 0)
		close(ns->home);
	if (ns->fd >= 0)
		close(ns->fd);
	*ns = (struct netns){.home = -1, .fd = -1};
}

int netns_enter(const struct netns *ns)
{
	if (ns->fd < 0)
		return 0;
	return setns(ns->fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

void netns_leave(const struct netns *ns)
{
	if (ns->fd >= 0 && setns(ns->home, CLONE_NEWNET) < 0)
		abort();
}

int netns_socket(const struct netns *ns, int domain, int type, int protocol)
{
	int r = netns_enter(ns);

	if (r < 0)
		return r;
	r = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (r < 0)
		r = -errno;
	netns_leave(ns);
	return r;
}

int netns_new_private(const struct netns *ns)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	fd = open(NETNS_SELF, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	if (setns(ns->home, CLONE_NEWNET) < 0)
		abort();
	return fd;
}
