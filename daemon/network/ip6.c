/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/ip6.h"

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int set(const char *name, const char *key, const char *value)
{
	char path[112];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name, key);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	return n < 0 ? -errno : 0;
}

void ip6_off(const struct netns *ns, const char *name)
{
	int r;

	if (netns_enter(ns) < 0)
		return;
	r = set(name, "disable_ipv6", "1");
	netns_leave(ns);
	if (r < 0 && r != -ENOENT)
		log_debug("cannot switch IPv6 off", "interface=%s error=%d", name, -r);
}

int ip6_bridge(const struct netns *ns, struct netlink *nl, const char *name, int index,
	const struct subnet6 *subnet)
{
	uint8_t gateway[IPV6_BYTES];
	int r = netns_enter(ns);

	if (r < 0)
		return r;
	/* Where these can not be written the defaults do as well; the address below says whether IPv6 works. */
	set(name, "accept_ra", "0");
	set(name, "accept_dad", "0");
	set(name, "router_solicitations", "0");
	set(name, "disable_ipv6", "0");
	netns_leave(ns);
	subnet6_gateway(subnet, gateway);
	r = netlink_addr6_add(nl, index, gateway, SUBNET6_PREFIX);
	return r == -EEXIST ? 0 : r;
}
