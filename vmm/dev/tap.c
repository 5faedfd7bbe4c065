/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dev/tap.h"

#include "abi/virtio.h"
#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

static int set_up(int fd, struct err *err)
{
	int header = sizeof(struct virtio_net_hdr);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(err, errno, "tap descriptor");
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return err_sys(err, errno, "TUNSETVNETHDRSZ");
	if (ioctl(fd, TUNSETOFFLOAD, 0) < 0)
		return err_sys(err, errno, "TUNSETOFFLOAD");
	return 0;
}

int tap_open(const char *name, struct err *err)
{
	struct ifreq ifr = {.ifr_flags = TAP_FLAGS};
	_cleanup_close_ int fd = -1;
	int r;

	if (strlen(name) == 0 || strlen(name) >= sizeof(ifr.ifr_name))
		return err_set(err, EINVAL, "tap name \"%s\"", name);
	memcpy(ifr.ifr_name, name, strlen(name));
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "/dev/net/tun");
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return err_sys(err, errno, "tap %s", name);
	r = set_up(fd, err);
	return r < 0 ? r : steal_fd(&fd);
}

int tap_adopt(int fd, struct err *err)
{
	struct ifreq ifr = {0};

	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return err_sys(err, errno, "descriptor %d is not a tap", fd);
	if ((ifr.ifr_flags & TAP_FLAGS) != TAP_FLAGS)
		return err_set(err, EINVAL,
			"tap %.16s: opened without IFF_TAP, IFF_NO_PI and IFF_VNET_HDR",
			ifr.ifr_name);
	return set_up(fd, err);
}
