/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/choose.h"

#include "daemon/network/netlink.h"
#include "daemon/network/network.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define TEXT_BYTES (IPV4_TEXT_BYTES + 4)

/* Private ones (RFC 1918) that few choose. Whoever has a route for all of 10/8, as VPNs do, gets one of the others. */
static const struct {
	uint32_t base, step;
	unsigned prefix, count;
} rows[] = {
	{0x0a5d0000, 0x10000, 16, 32}, /* 10.93.0.0 ... */
	{0xac170000, 0x10000, 16, 8},  /* 172.23.0.0 ... */
	{0xc0a85d00, 0x100, 24, 64},   /* 192.168.93.0 ... */
};

static void path_of(const char *run_dir, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/subnet", run_dir);
}

static int recall(const char *path, struct subnet *subnet)
{
	char text[TEXT_BYTES] = "";
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	return subnet_parse(text, subnet, NULL);
}

static int keep(const char *path, const struct subnet *subnet, struct err *err)
{
	char base[IPV4_TEXT_BYTES], text[TEXT_BYTES];
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t len;

	ipv4_format(subnet->base, base);
	len = snprintf(text, sizeof(text), "%s/%u", base, subnet->prefix);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return err_sys(err, errno, "cannot write %s", path);
	return 0;
}

static int first_free(struct netlink *nl, struct subnet *subnet, struct err *err)
{
	int bridge = netlink_index(nl, NETWORK_BRIDGE);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned n = 0; n < rows[i].count; n++) {
			struct subnet s = {rows[i].base + n * rows[i].step, rows[i].prefix};
			int r = netlink_route_conflict(nl, &s, bridge > 0 ? bridge : 0);

			if (r < 0)
				return err_sys(err, -r, "cannot read the routes");
			if (r > 0)
				continue;
			*subnet = s;
			return 0;
		}
	}
	return err_set(err, EADDRINUSE,
		"routes overlap all subnets that could be chosen: give one with --subnet");
}

int subnet_choose(const char *netns, const char *run_dir, struct subnet *subnet, struct err *err)
{
	char path[PATH_MAX];
	struct netlink *nl;
	struct netns ns;
	int r;

	path_of(run_dir, path);
	if (recall(path, subnet) == 0)
		return 0;
	r = netns_open(netns, &ns, err);
	if (r < 0)
		return r;
	r = netlink_new(&ns, &nl);
	if (r < 0) {
		err_sys(err, -r, "cannot open netlink");
	} else {
		r = first_free(nl, subnet, err);
		netlink_free(nl);
	}
	netns_close(&ns);
	return r < 0 ? r : keep(path, subnet, err);
}

void subnet_forget(const char *run_dir)
{
	char path[PATH_MAX];

	path_of(run_dir, path);
	unlink(path);
}
