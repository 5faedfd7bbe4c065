/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

int tap_open(const struct netns *ns, const char *name)
{
	struct ifreq ifr = {
		.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL)};
	_cleanup_close_ int fd = -1;
	size_t len = strlen(name);
	int r;

	if (len >= sizeof(ifr.ifr_name))
		return -EINVAL;
	memcpy(ifr.ifr_name, name, len + 1);
	r = netns_enter(ns); /* a tap belongs to the namespace in which the device was opened */
	if (r < 0)
		return r;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	r = fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : 0;
	netns_leave(ns);
	return r < 0 ? r : steal_fd(&fd);
}

int tap_persist(int fd)
{
	return ioctl(fd, TUNSETPERSIST, 1) < 0 ? -errno : 0;
}
