/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /network and GET /network/{name}/lease. A network is there as long as an instance names it; all are on one bridge, in one
 * subnet (daemon/network/filter.h). Addresses of prepared VMs are of the network of all until they are taken.
 */
#include "daemon/network/network.h"

#include "daemon/api/api.h"
#include "daemon/core.h"
#include "daemon/image/name.h"
#include "daemon/instance/instance.h"

#include <string.h>

#define OF_ALL "default"

static const char *name_of(const struct instance *i)
{
	return i && i->network[0] ? i->network : OF_ALL;
}

static const struct instance *instance_of(const struct core *core, const struct shell *shell)
{
	const struct instance *i = instances_first(core->instances);

	while (i && i->shell != shell)
		i = i->next;
	return i;
}

/* Instances that hold an address in it. */
static unsigned members(const struct core *core, const char *name)
{
	unsigned n = 0;

	for (const struct instance *i = instances_first(core->instances); i; i = i->next)
		n += i->shell && strcmp(name_of(i), name) == 0;
	return n;
}

static json_t *network_json(const struct core *core, const char *name)
{
	const struct subnet *subnet = network_subnet(core->network);
	char gateway[IPV4_TEXT_BYTES], subnet6[IPV6_TEXT_BYTES + 4];

	subnet6_format(network_subnet6(core->network), subnet6);
	ipv4_format(subnet_gateway(subnet), gateway);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:i}", "name", name, "bridge",
		NETWORK_BRIDGE, "subnet", core->config.subnet_text, "subnet6", subnet6, "gateway",
		gateway, "isolated", strcmp(name, OF_ALL) != 0, "nat", core->config.nat != 0, "vms",
		(int)members(core, name), "addresses_free",
		(int)network_free_addresses(core->network));
}

static bool is_listed(const json_t *items, const char *name)
{
	const json_t *item;
	size_t n;

	json_array_foreach(items, n, item)
	{
		if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
			return true;
	}
	return false;
}

void network_list(struct httpd_req *req)
{
	const struct core *core = api_core(req);
	json_t *items = json_array();

	json_array_append_new(items, network_json(core, OF_ALL));
	for (const struct instance *i = instances_first(core->instances); i; i = i->next) {
		if (i->shell && !is_listed(items, name_of(i)))
			json_array_append_new(items, network_json(core, name_of(i)));
	}
	answer_items(req, items);
}

static json_t *lease_json(
	const struct core *core, const struct shell *shell, const struct instance *i)
{
	const struct lease *lease = &shell->lease;
	char ip[IPV4_TEXT_BYTES], ip6[IPV6_TEXT_BYTES], mac[MAC_TEXT_BYTES];
	bool six = network_subnet6(core->network)->on && shell->ops != &monitor_process;

	ipv4_format(lease->ip, ip);
	mac_format(lease->mac, mac);
	if (six)
		ipv6_format(lease->ip6, ip6);
	return json_pack("{s:s, s:s?, s:s, s:s, s:s?, s:s?}", "ip_address", ip, "ipv6_address",
		six ? ip6 : NULL, "mac", mac, "interface", lease->name, "vm_id", i ? i->id : NULL,
		"vm_name", i ? i->name : NULL);
}

void network_leases(struct httpd_req *req)
{
	const struct core *core = api_core(req);
	const char *name = httpd_param(req, "network");
	json_t *items;

	if (!name_is_valid(name) || (strcmp(name, OF_ALL) != 0 && !members(core, name))) {
		answer_problem(req, 404, "not_found",
			"no VM is in a network \"%.80s\" (GET /network lists them)", name);
		return;
	}
	items = json_array();
	for (const struct shell *s = core->shells; s; s = s->next) {
		const struct instance *i = instance_of(core, s);

		if (s->lease.held && strcmp(name_of(i), name) == 0)
			json_array_append_new(items, lease_json(core, s, i));
	}
	answer_items(req, items);
}
