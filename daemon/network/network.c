/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file RUN_DIR/bridge says that the bridge is ours to remove; it is written before the bridge is made, so that a
 * daemon killed in between is cleaned up after as well. When the namespace has a bridge of that name without the
 * file, it belongs to someone else: it is used and stays. Only its MAC is made to stay what it is: one that nobody has
 * chosen follows the ports, so it would change with a VM now and then. Each time the kernel forgets the neighbours of all
 * instances, which proxy ARP then keeps from being found, and instances send to the MAC that they have learnt.
 */
#include "daemon/network/network.h"

#include "daemon/network/addrpool.h"
#include "daemon/network/announce.h"
#include "daemon/network/filter.h"
#include "daemon/network/ip6.h"
#include "daemon/network/netlink.h"
#include "daemon/network/tap.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define LINKS_MAX 1200 /* a bridge has at most 1,023 ports */

struct network {
	struct netns ns;
	struct filter *filter;
	struct netlink *nl;
	struct addrpool *pool;
	struct subnet subnet;
	struct subnet6 subnet6; /* on: the bridge has its address */
	int bridge;             /* interface index */
	int announcer;          /* socket of network_announce(); -1: not yet */
	bool bridge_ours;
	uint8_t bridge_mac[MAC_BYTES];
	const struct network_config *config; /* while network_new() runs */
	char *marker;                        /* RUN_DIR/bridge */
	struct own_mac *own_macs;            /* those that instances were given */
};

/* Of a lease whose MAC is not that which its address has of itself. */
struct own_mac {
	uint8_t mac[MAC_BYTES];
	struct own_mac *next;
};

static const uint8_t bridge_mac[MAC_BYTES] = {0x02, 'u', 'i', 'g', 0x00, 0x01};

struct link_list {
	const struct network *net;
	int index[LINKS_MAX];
	unsigned count, kept;
};

static bool in_use(const struct network *net, const char *name)
{
	const struct network_config *c = net->config;

	return c && c->in_use && c->in_use(c->arg, name);
}

static void collect(void *arg, int index, const char *name)
{
	struct link_list *list = arg;

	if (strcmp(name, NETWORK_BRIDGE) == 0)
		return;
	if (in_use(list->net, name))
		list->kept++;
	else if (list->count < LINKS_MAX)
		list->index[list->count++] = index;
}

/* Removes all taps and veths of ours that are not in use; how many, or -errno. Each takes some 15 ms in the kernel, so this is for
 * start and end. */
static int remove_links(struct network *net, unsigned *kept)
{
	_cleanup_free_ struct link_list *list = calloc(1, sizeof(*list));
	int removed = 0, r;

	if (!list)
		return -ENOMEM;
	list->net = net;
	r = netlink_links(net->nl, NETWORK_PREFIX, collect, list);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < list->count; i++)
		removed += netlink_link_del(net->nl, list->index[i]) == 0;
	*kept = list->kept;
	return removed;
}

static int marker_write(const struct network *net)
{
	int fd = open(net->marker, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Ours. 1; 0: there was none; or -errno, and then the file stays, and says to the next manager that there may be one. */
static int remove_bridge(struct network *net)
{
	int index = netlink_index(net->nl, NETWORK_BRIDGE);
	int r = index > 0 ? netlink_link_del(net->nl, index) : index;

	if (r < 0 && r != -ENODEV)
		return r;
	unlink(net->marker);
	return r == 0;
}

/* 0 or -errno: without the list of interfaces it is not known which are in use. */
static int remove_leftovers(struct network *net)
{
	unsigned kept = 0;
	int removed = remove_links(net, &kept);

	if (removed < 0)
		return removed;
	if (removed > 0)
		log_info("removed interfaces that an earlier run left", "count=%d", removed);
	if (access(net->marker, F_OK) < 0)
		return 0;
	removed = kept ? -EBUSY : remove_bridge(net);
	if (removed > 0)
		log_info(
			"removed the bridge that an earlier run left", "bridge=%s", NETWORK_BRIDGE);
	net->bridge_ours = removed < 0; /* it stays, and is ours to remove at the end */
	return 0;
}

static int make_bridge(struct network *net, struct err *err)
{
	int r = marker_write(net);

	if (r < 0)
		return err_sys(err, -r, "cannot write %s", net->marker);
	r = netlink_bridge_add(net->nl, NETWORK_BRIDGE, bridge_mac);
	if (r == -EEXIST)
		unlink(net->marker); /* it is another's */
	else if (r < 0)
		remove_bridge(net); /* only the answer may be lost */
	if (r < 0)
		return err_sys(err, -r, "cannot make the bridge %s", NETWORK_BRIDGE);
	net->bridge_ours = true;
	ip6_off(&net->ns, NETWORK_BRIDGE); /* until it has an address there */
	return netlink_index(net->nl, NETWORK_BRIDGE);
}

static int setup_bridge(struct network *net, struct err *err)
{
	char text[IPV4_TEXT_BYTES];
	int r = netlink_index(net->nl, NETWORK_BRIDGE);
	int conflict = netlink_route_conflict(net->nl, &net->subnet, r > 0 ? r : 0);

	if (conflict < 0)
		return err_sys(err, -conflict, "cannot read the routes");
	if (conflict > 0) {
		ipv4_format(net->subnet.base, text);
		return err_set(err, EADDRINUSE,
			"subnet %s/%u overlaps a route that is there already: choose another with "
			"--subnet",
			text, net->subnet.prefix);
	}
	r = r < 0 ? make_bridge(net, err) : r;
	if (r < 0)
		return r;
	net->bridge = r;
	memcpy(net->bridge_mac, bridge_mac, sizeof(bridge_mac));
	r = net->bridge_ours ? 0 : netlink_link_keep_mac(net->nl, net->bridge, net->bridge_mac);
	if (r < 0)
		return err_sys(err, -r, "cannot fix the MAC of %s", NETWORK_BRIDGE);
	r = netlink_addr_add(
		net->nl, net->bridge, subnet_gateway(&net->subnet), net->subnet.prefix);
	if (r < 0 && r != -EEXIST)
		return err_sys(err, -r, "cannot give %s its address", NETWORK_BRIDGE);
	r = netlink_link_up(net->nl, net->bridge);
	return r < 0 ? err_sys(err, -r, "cannot set %s up", NETWORK_BRIDGE) : 0;
}

/* Instances have IPv6 addresses when they are wanted and the kernel has IPv6. */
static void setup_ip6(struct network *net)
{
	int r;

	if (!net->subnet6.on)
		return;
	r = ip6_bridge(&net->ns, net->nl, NETWORK_BRIDGE, net->bridge, &net->subnet6);
	if (r == 0)
		return;
	net->subnet6.on = false;
	log_warn("no IPv6: instances have IPv4 addresses only", "bridge=%s error=\"%s\"",
		NETWORK_BRIDGE, strerror(-r));
}

int network_new(const struct network_config *config, struct network **out, struct err *err)
{
	struct network *net = calloc(1, sizeof(*net));
	char *marker = NULL;
	int r;

	if (!net)
		return err_sys(err, ENOMEM, "network");
	net->subnet = config->subnet;
	net->subnet6 = config->subnet6;
	net->config = config;
	net->ns = (struct netns){.home = -1, .fd = -1};
	net->announcer = -1;
	if (asprintf(&marker, "%s/bridge", config->run_dir) < 0) {
		r = err_sys(err, ENOMEM, "network");
		goto out_free;
	}
	net->marker = marker;
	r = netns_open(config->netns, &net->ns, err);
	if (r < 0)
		goto out_free;
	r = netlink_new(&net->ns, &net->nl);
	if (r < 0) {
		err_sys(err, -r, "cannot open netlink");
		goto out_free;
	}
	r = addrpool_new(subnet_hosts(&net->subnet), config->quarantine_ns, &net->pool);
	if (r < 0)
		goto out_free;
	r = filter_new(&(struct filter_config){.ns = &net->ns,
			       .run_dir = config->run_dir,
			       .bridge = NETWORK_BRIDGE,
			       .subnet = net->subnet,
			       .nat = config->nat},
		&net->filter);
	if (r < 0)
		goto out_free;
	r = remove_leftovers(net);
	if (r < 0) {
		err_sys(err, -r, "cannot list the interfaces");
		goto out_free;
	}
	r = setup_bridge(net, err);
	if (r < 0)
		goto out_free;
	setup_ip6(net);
	net->config = NULL;
	*out = net;
	return 0;
out_free:
	network_free(net); /* with net->config: what is in use stays */
	return r;
}

static void forget_mac(struct network *net, const uint8_t mac[MAC_BYTES])
{
	for (struct own_mac **p = &net->own_macs, *m; (m = *p); p = &m->next) {
		if (memcmp(m->mac, mac, MAC_BYTES) != 0)
			continue;
		*p = m->next;
		free(m);
		return;
	}
}

void network_free(struct network *net)
{
	unsigned kept = 0;
	int r;

	if (!net)
		return;
	r = net->nl ? remove_links(net, &kept)
		    : 0; /* also when the start failed: VMs may be in use */
	if (r < 0)
		log_warn("cannot list the interfaces, so some may be left", "error=%d", -r);
	if (net->bridge_ours && r >= 0 && !kept) {
		r = remove_bridge(net);
		if (r < 0)
			log_warn("cannot remove the bridge", "bridge=%s error=%d", NETWORK_BRIDGE,
				-r);
	}
	filter_free(net->filter, r < 0 || kept);
	netlink_free(net->nl);
	addrpool_free(net->pool);
	while (net->own_macs)
		forget_mac(net, net->own_macs->mac);
	if (net->announcer >= 0)
		close(net->announcer);
	netns_close(&net->ns);
	free(net->marker);
	free(net);
}

void network_lease_mac(uint32_t ip, uint8_t mac[MAC_BYTES])
{
	const uint8_t bytes[MAC_BYTES] = {0x02, 'u', (uint8_t)(ip >> 24), (uint8_t)(ip >> 16),
		(uint8_t)(ip >> 8), (uint8_t)ip};

	memcpy(mac, bytes, sizeof(bytes));
}

bool network_lease_name(const struct subnet *subnet, uint32_t ip, char name[NETWORK_NAME_BYTES])
{
	int64_t index = subnet_index(subnet, ip);

	if (index >= 0)
		snprintf(name, NETWORK_NAME_BYTES, NETWORK_PREFIX "%u", (unsigned)index + 2);
	return index >= 0;
}

/* mac: NULL: the address's own. */
static void lease_fill(
	const struct network *net, uint32_t index, const uint8_t *mac, struct lease *lease)
{
	uint32_t ip = subnet_host(&net->subnet, index);

	*lease = (struct lease){.held = true, .index = index, .ip = ip};
	network_lease_mac(ip, lease->mac);
	if (mac)
		memcpy(lease->mac, mac, MAC_BYTES);
	if (net->subnet6.on)
		subnet6_of_mac(&net->subnet6, lease->mac, lease->ip6);
	network_lease_name(&net->subnet, ip, lease->name);
}

static int lease_this(struct network *net, uint32_t ip, uint32_t *index, struct err *err)
{
	int64_t i = subnet_index(&net->subnet, ip);
	char text[IPV4_TEXT_BYTES];
	int r;

	ipv4_format(ip, text);
	if (i < 0)
		return err_set(err, ENOENT, "%s is no instance's address of the subnet", text);
	r = addrpool_take_index(net->pool, (uint32_t)i);
	if (r < 0)
		return err_set(err, -r, "the address %s is in use", text);
	*index = (uint32_t)i;
	return 0;
}

static int lease_next(struct network *net, uint32_t *index, unsigned *retry_s, struct err *err)
{
	int64_t now = loop_now_ns(), ready = 0;
	int r = addrpool_take(net->pool, now, index, &ready);

	if (r == 0)
		return 0;
	if (retry_s)
		*retry_s = ready == INT64_MAX ? 10 : 1 + (unsigned)((ready - now) / NS_PER_S);
	return err_set(err, EAGAIN,
		"all %u addresses of the subnet are used or resting: stop instances, or choose a "
		"larger --subnet",
		addrpool_count(net->pool));
}

/* The addresses' own MACs begin so: one of them, given to another address, would be in use sooner or later. */
static bool is_of_addresses(const uint8_t mac[MAC_BYTES])
{
	uint8_t first[MAC_BYTES];

	network_lease_mac(0, first);
	return memcmp(mac, first, 2) == 0;
}

/* *own: to be on the list, when this MAC is not the address's own. */
static int check_mac(const struct network *net, uint32_t ip, const uint8_t mac[MAC_BYTES],
	struct own_mac **own, struct err *err)
{
	bool taken = is_of_addresses(mac) || memcmp(mac, bridge_mac, MAC_BYTES) == 0;
	char text[MAC_TEXT_BYTES];
	uint8_t derived[MAC_BYTES];

	network_lease_mac(ip, derived);
	if (mac_is_none(mac) || (ip && memcmp(mac, derived, MAC_BYTES) == 0))
		return 0;
	for (const struct own_mac *m = net->own_macs; m && !taken; m = m->next)
		taken = memcmp(m->mac, mac, MAC_BYTES) == 0;
	mac_format(mac, text);
	if (taken)
		return err_set(err, EBUSY,
			"the MAC %s is in use, or one of those that addresses have", text);
	*own = malloc(sizeof(**own));
	if (!*own)
		return err_sys(err, ENOMEM, "MAC");
	memcpy((*own)->mac, mac, MAC_BYTES);
	return 0;
}

int network_lease(struct network *net, uint32_t ip, const uint8_t mac[MAC_BYTES],
	struct lease *lease, unsigned *retry_s, struct err *err)
{
	_cleanup_free_ struct own_mac *own = NULL;
	uint32_t index;
	int r = check_mac(net, ip, mac, &own, err);

	if (r < 0)
		return r;
	r = ip ? lease_this(net, ip, &index, err) : lease_next(net, &index, retry_s, err);
	if (r < 0)
		return r;
	lease_fill(net, index, own ? own->mac : NULL, lease);
	if (own) {
		own->next = net->own_macs;
		net->own_macs = steal_ptr(&own);
	}
	return 0;
}

void network_release(struct network *net, struct lease *lease)
{
	if (!lease->held)
		return;
	netlink_neigh_del(net->nl, net->bridge, lease->ip); /* gone already when the bridge is */
	filter_leave(net->filter, lease->name);
	if (net->subnet6.on)
		netlink_neigh6_del(net->nl, net->bridge, lease->ip6);
	forget_mac(net, lease->mac);
	addrpool_put(net->pool, lease->index, loop_now_ns());
	lease->held = false;
}

/* Tells bridge and host where the address is. */
static int locate(struct network *net, const struct lease *lease, int index)
{
	int r = netlink_fdb_set(net->nl, index, lease->mac);

	if (r >= 0)
		r = netlink_neigh_set(net->nl, net->bridge, lease->ip, lease->mac);
	if (r >= 0 && net->subnet6.on)
		r = netlink_neigh6_set(net->nl, net->bridge, lease->ip6, lease->mac);
	return r;
}

/* Makes the interface a port as well. */
static int join(struct network *net, const struct lease *lease, struct err *err)
{
	int index = netlink_index(net->nl, lease->name), r = index;

	if (r > 0) {
		ip6_off(&net->ns, lease->name);
		r = netlink_link_join(net->nl, index, net->bridge);
	}
	/* An idle instance must not wake up for a question that is not for it, nor another one wait for its answer. A kernel that
	 * can not do that floods: it works all the same. */
	if (r >= 0 && netlink_port_proxy_arp(net->nl, index) < 0)
		log_debug("a port gets broadcasts", "interface=%s", lease->name);
	if (r == -EXFULL || r == -EMFILE)
		return err_set(err, -r, "the bridge %s is full: a Linux bridge has 1,023 ports",
			NETWORK_BRIDGE);
	if (r >= 0)
		r = locate(net, lease, index);
	return r < 0 ? err_sys(err, -r, "cannot make %s a port of %s", lease->name, NETWORK_BRIDGE)
		     : 0;
}

void lease_adopt(struct network *net, const struct lease *lease)
{
	int index = netlink_index(net->nl, lease->name), r;

	if (index < 0)
		return; /* it went with its process */
	r = locate(net, lease, index);
	if (r < 0)
		log_warn("cannot say where an instance's address is", "interface=%s error=%d",
			lease->name, -r);
}

int lease_tap(struct network *net, const struct lease *lease, struct err *err)
{
	_cleanup_close_ int fd = tap_open(&net->ns, lease->name);
	int r;

	if (fd == -EBUSY) { /* a veth of a namespace that the kernel has not taken down yet */
		r = netlink_index(net->nl, lease->name);
		if (r > 0)
			netlink_link_del(net->nl, r);
		fd = tap_open(&net->ns, lease->name);
	}
	if (fd < 0)
		return err_sys(
			err, -fd, "cannot make the tap %s (is /dev/net/tun there?)", lease->name);
	r = join(net, lease, err);
	return r < 0 ? r : steal_fd(&fd);
}

int lease_tap_named(struct network *net, const struct lease *lease, struct err *err)
{
	_cleanup_close_ int fd = lease_tap(net, lease, err);
	int r = fd < 0 ? fd : tap_persist(fd);

	return r < 0 && fd >= 0 ? err_sys(err, -r, "cannot keep the tap %s", lease->name) : r;
}

void lease_tap_remove(struct network *net, const struct lease *lease)
{
	int index = netlink_index(net->nl, lease->name);

	if (index > 0)
		netlink_link_del(net->nl, index);
}

int network_namespace(const struct network *net)
{
	return net->ns.fd;
}

static int veth_inside(struct network *net, const struct lease *lease, int ns)
{
	struct netlink *nl;
	int r = netlink_new_in(&net->ns, ns, &nl), index;

	if (r < 0)
		return r;
	index = netlink_index(nl, "eth0");
	r = index;
	if (r >= 0)
		r = netlink_addr_add(nl, index, lease->ip, net->subnet.prefix);
	if (r >= 0)
		r = netlink_link_up(nl, netlink_index(nl, "lo"));
	if (r >= 0)
		r = netlink_link_up(nl, index);
	if (r >= 0)
		r = netlink_route_default(nl, subnet_gateway(&net->subnet));
	netlink_free(nl);
	return r;
}

int lease_veth(struct network *net, const struct lease *lease, struct err *err)
{
	_cleanup_close_ int ns = netns_new_private(&net->ns);
	int r;

	if (ns < 0)
		return err_sys(err, -ns, "cannot make a network namespace");
	r = netlink_veth_add(net->nl, lease->name, "eth0", lease->mac, ns);
	if (r == -EEXIST) { /* of a namespace that the kernel has not taken down yet */
		netlink_link_del(net->nl, netlink_index(net->nl, lease->name));
		r = netlink_veth_add(net->nl, lease->name, "eth0", lease->mac, ns);
	}
	if (r < 0)
		return err_sys(err, -r, "cannot make the veth pair %s", lease->name);
	r = veth_inside(net, lease, ns);
	if (r < 0)
		return err_sys(err, -r, "cannot set the address of %s", lease->name);
	r = join(net, lease, err);
	return r < 0 ? r : steal_fd(&ns);
}

int lease_isolate(
	struct network *net, const struct lease *lease, const char *network, struct err *err)
{
	return filter_join(net->filter, network, lease->name, err);
}

int network_live(struct network *net, struct err *err)
{
	return filter_live(net->filter, err);
}

int network_nothing(const struct network *net)
{
	return netns_new_private(&net->ns);
}

int network_socket(const struct network *net, int type)
{
	return netns_socket(&net->ns, AF_INET, type, 0);
}

int network_bind(const struct network *net, int type, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(subnet_gateway(&net->subnet))};
	_cleanup_close_ int fd = network_socket(net, type);
	int one = 1;

	if (fd < 0)
		return fd;
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	if (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)
		return -errno;
	return steal_fd(&fd);
}

int network_announce(
	struct network *net, uint32_t ip, const uint8_t mac[MAC_BYTES], const uint8_t to[MAC_BYTES])
{
	uint8_t frame[ANNOUNCE_FRAME_BYTES];

	if (net->announcer < 0)
		net->announcer = announce_open(&net->ns);
	if (net->announcer < 0)
		return net->announcer;
	announce_frame(ip, mac, to, frame);
	return announce_send(net->announcer, net->bridge, frame);
}

const struct subnet6 *network_subnet6(const struct network *net)
{
	return &net->subnet6;
}

const uint8_t *network_gateway_mac(const struct network *net)
{
	return net->bridge_mac;
}

const struct subnet *network_subnet(const struct network *net)
{
	return &net->subnet;
}

uint32_t network_free_addresses(const struct network *net)
{
	return addrpool_count(net->pool) - addrpool_used(net->pool);
}
