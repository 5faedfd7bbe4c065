/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every change makes the whole bridge table anew, in one transaction: there is no state but the list of members, and nothing that could
 * disagree with it. libnftables is used in this process: it sends to netlink, and waits for nothing else.
 */
#include "daemon/network/filter.h"

#include "daemon/network/network.h"
#include "lib/buf.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <string.h>

#define FORWARD_PATH "/proc/sys/net/ipv4/ip_forward"

struct member {
	char *network;
	char port[NETWORK_NAME_BYTES];
	struct member *next; /* by name of the network */
};

struct filter {
	struct filter_config config;
	struct nft_ctx *nft; /* NULL: not needed yet */
	char *marker, *forward_marker;
	bool live, bridge_table;
	struct member *members;
};

/* --- nft ------------------------------------------------------------------------------------------------------- */
static int open_nft(struct filter *f)
{
	int r = f->nft ? 0 : netns_enter(f->config.ns); /* its socket belongs to the namespace */

	if (f->nft || r < 0)
		return r;
	f->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	netns_leave(f->config.ns);
	if (!f->nft)
		return -ENOMEM;
	if (nft_ctx_buffer_error(f->nft) || nft_ctx_buffer_output(f->nft))
		return -ENOMEM;
	return 0;
}

static int run(struct filter *f, const struct buf *rules, struct err *err)
{
	const char *said;
	int r = rules->data ? open_nft(f) : -ENOMEM;

	if (r < 0)
		return err_sys(err, -r, "cannot use nftables");
	r = netns_enter(f->config.ns);
	if (r < 0)
		return err_sys(err, -r, "cannot enter the network namespace");
	r = nft_run_cmd_from_buffer(f->nft, rules->data);
	netns_leave(f->config.ns);
	said = nft_ctx_get_error_buffer(f->nft);
	if (r == 0)
		return 0;
	return err_set(err, ENOTSUP, "nftables: %.*s", (int)strcspn(said, "\n"), said);
}

/* The table is gone afterwards, whether it was there or not. */
static void add_removal(struct buf *rules, const char *family)
{
	buf_printf(rules, "add table %s " FILTER_TABLE "\ndelete table %s " FILTER_TABLE "\n",
		family, family);
}

static int mark(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* --- networks ---------------------------------------------------------------------------------------------------- */
/* The members are sorted: calls fn for each network with its first. */
static void each_network(const struct filter *f, struct buf *rules,
	void (*fn)(struct buf *rules, const struct member *m))
{
	const char *last = "";

	for (const struct member *m = f->members; m; m = m->next) {
		if (strcmp(m->network, last) != 0)
			fn(rules, m);
		last = m->network;
	}
}

static void add_set(struct buf *rules, const struct member *m)
{
	const char *network = m->network;

	buf_printf(rules, " set ports-%s { type ifname; elements = { ", network);
	for (; m && strcmp(m->network, network) == 0; m = m->next)
		buf_printf(rules, "\"%s\", ", m->port);
	buf_printf(rules, "} }\n chain net-%s { oifname @ports-%s accept; drop; }\n", network,
		network);
}

static void add_jump(struct buf *rules, const struct member *m)
{
	buf_printf(rules, "  iifname @ports-%s jump net-%s\n", m->network, m->network);
}

static void add_closed(struct buf *rules, const struct member *m)
{
	buf_printf(rules, "  oifname @ports-%s drop\n", m->network);
}

/* "bridge" sees frames between ports; what goes to the bridge's MAC comes by the hook "input": addressed to another instance it
 * would be for the host's forwarding to carry. */
static void add_bridge_table(const struct filter *f, struct buf *rules)
{
	char base[IPV4_TEXT_BYTES], gateway[IPV4_TEXT_BYTES];

	ipv4_format(f->config.subnet.base, base);
	ipv4_format(subnet_gateway(&f->config.subnet), gateway);
	buf_printf(rules, "table bridge " FILTER_TABLE " {\n");
	each_network(f, rules, add_set);
	buf_printf(
		rules, " chain forward {\n  type filter hook forward priority 0; policy accept;\n");
	each_network(f, rules, add_jump);
	each_network(f, rules, add_closed);
	buf_printf(rules,
		" }\n chain input {\n  type filter hook input priority 0; policy accept;\n"
		"  iifname \"" NETWORK_PREFIX "*\" ip daddr %s/%u ip daddr != %s drop\n }\n}\n",
		base, f->config.subnet.prefix, gateway);
}

static int update(struct filter *f, struct err *err)
{
	_cleanup_buf_ struct buf rules;
	int r;

	buf_init(&rules, 0);
	if (!f->members && !f->bridge_table)
		return 0;
	r = mark(f->marker);
	if (r < 0)
		return err_sys(err, -r, "cannot write %s", f->marker);
	add_removal(&rules, "bridge");
	if (f->members)
		add_bridge_table(f, &rules);
	r = run(f, &rules, err);
	if (r == 0)
		f->bridge_table = f->members != NULL;
	return r;
}

static void member_del(struct member **at)
{
	struct member *m = *at;

	*at = m->next;
	free(m->network);
	free(m);
}

static struct member **find(struct filter *f, const char *port)
{
	struct member **at = &f->members;

	while (*at && strcmp((*at)->port, port) != 0)
		at = &(*at)->next;
	return at;
}

int filter_join(struct filter *f, const char *network, const char *port, struct err *err)
{
	struct member **at = &f->members, *m = calloc(1, sizeof(*m));
	int r;

	if (m)
		m->network = strdup(network);
	if (!m || !m->network) {
		free(m);
		return err_sys(err, ENOMEM, "network %s", network);
	}
	snprintf(m->port, sizeof(m->port), "%s", port);
	if (*find(f, port))
		member_del(find(f, port));
	while (*at && strcmp((*at)->network, network) < 0)
		at = &(*at)->next;
	m->next = *at;
	*at = m;
	r = f->live ? update(f, err) : 0;
	if (r < 0) {
		member_del(find(f, port));
		return err_prefix(err, "network %s", network);
	}
	return 0;
}

void filter_leave(struct filter *f, const char *port)
{
	struct member **at = find(f, port);
	struct err err = {0};

	if (!*at)
		return;
	member_del(at);
	if (f->live && update(f, &err) < 0)
		log_error("cannot change the rules of networks", "error=\"%s\"", err.msg);
}

/* --- NAT --------------------------------------------------------------------------------------------------------- */
static bool forwards(const struct filter *f)
{
	char value = '0';
	int fd;

	if (netns_enter(f->config.ns) < 0)
		return false;
	fd = open(FORWARD_PATH, O_RDONLY | O_CLOEXEC);
	netns_leave(f->config.ns);
	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value != '0';
}

static int set_forwards(const struct filter *f, const char *value)
{
	int r = netns_enter(f->config.ns), fd;

	if (r < 0)
		return r;
	fd = open(FORWARD_PATH, O_WRONLY | O_CLOEXEC);
	r = fd < 0 || write(fd, value, 1) != 1 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	netns_leave(f->config.ns);
	return r;
}

/* Where forwarding was off, it is on for the instances only: what is neither from nor to the bridge stays where it is. */
static void add_nat_table(const struct filter *f, bool only_ours, struct buf *rules)
{
	const char *bridge = f->config.bridge;
	char base[IPV4_TEXT_BYTES];

	ipv4_format(f->config.subnet.base, base);
	buf_printf(rules,
		"table ip " FILTER_TABLE " {\n"
		" chain postrouting {\n"
		"  type nat hook postrouting priority srcnat; policy accept;\n"
		"  ip saddr %s/%u oifname != \"%s\" masquerade\n }\n"
		" chain forward {\n"
		"  type filter hook forward priority filter; policy accept;\n"
		"  iifname \"%s\" oifname \"%s\" drop\n"
		"  iifname \"%s\" ip saddr != %s/%u drop\n"
		"  oifname \"%s\" ct state established,related accept\n"
		"  oifname \"%s\" drop\n",
		base, f->config.subnet.prefix, bridge, bridge, bridge, bridge, base,
		f->config.subnet.prefix, bridge, bridge);
	if (only_ours)
		buf_printf(rules, "  iifname != \"%s\" drop\n", bridge);
	buf_printf(rules, " }\n}\n");
}

static int nat_on(struct filter *f, struct err *err)
{
	_cleanup_buf_ struct buf rules;
	bool was_off = !forwards(f) || access(f->forward_marker, F_OK) == 0;
	int r = mark(f->marker);

	buf_init(&rules, 0);
	if (r == 0 && was_off)
		r = mark(f->forward_marker);
	if (r < 0)
		return err_sys(err, -r, "cannot write %s", f->marker);
	add_removal(&rules, "ip");
	add_nat_table(f, was_off, &rules);
	r = run(f, &rules, err);
	if (r == 0 && was_off) { /* rules first: never open */
		r = set_forwards(f, "1");
		if (r < 0)
			err_sys(err, -r, "cannot write %s", FORWARD_PATH);
	}
	return r < 0 ? err_prefix(err, "--nat") : 0;
}

/* Forwarding off before the rules go. */
static void nat_off(struct filter *f)
{
	_cleanup_buf_ struct buf rules;
	struct err err = {0};

	buf_init(&rules, 0);
	if (access(f->forward_marker, F_OK) == 0) {
		if (set_forwards(f, "0") < 0)
			log_warn("cannot switch forwarding off", "path=%s", FORWARD_PATH);
		unlink(f->forward_marker);
	}
	add_removal(&rules, "ip");
	if (run(f, &rules, &err) < 0)
		log_warn("cannot remove the rules of NAT", "error=\"%s\"", err.msg);
}

/* --------------------------------------------------------------------------------------------------------------- */
int filter_new(const struct filter_config *config, struct filter **out)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->config = *config;
	if (asprintf(&f->marker, "%s/nft", config->run_dir) < 0)
		f->marker = NULL;
	if (asprintf(&f->forward_marker, "%s/forwarding", config->run_dir) < 0)
		f->forward_marker = NULL;
	if (!f->marker || !f->forward_marker) {
		filter_free(f, true);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

int filter_live(struct filter *f, struct err *err)
{
	bool left = access(f->marker, F_OK) == 0;
	int r = 0;

	f->live = true;
	f->bridge_table = left; /* perhaps */
	if (f->config.nat)
		r = nat_on(f, err);
	else if (left)
		nat_off(f);
	return r < 0 ? r : update(f, err);
}

void filter_free(struct filter *f, bool keep)
{
	struct err err = {0};

	if (!f)
		return;
	while (f->members)
		member_del(&f->members);
	if (!keep && access(f->marker, F_OK) == 0) {
		f->bridge_table = true;
		if (update(f, &err) < 0)
			log_warn("cannot remove the rules of networks", "error=\"%s\"", err.msg);
		nat_off(f);
		unlink(f->marker);
	}
	if (f->nft)
		nft_ctx_free(f->nft);
	free(f->marker);
	free(f->forward_marker);
	free(f);
}
