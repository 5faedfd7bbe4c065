/* SPDX-License-Identifier: Apache-2.0 */
/* What of the network an instance has besides its address: published ports, taken with its start and given back with its end, and the network
 * that it belongs to as long as its shell holds the address. */
#include "daemon/core.h"
#include "daemon/instance/impl.h"
#include "daemon/network/forward.h"
#include "daemon/network/forward_udp.h"

static int publish(const struct instance *i, struct port_map *map, struct err *err)
{
	const struct forward_config config = {.loop = i->core->loop,
		.net = i->core->network,
		.host_ip = map->host_ip,
		.host_port = map->host_port,
		.ip = i->ip,
		.port = map->guest_port};
	int r = map->udp ? forward_udp_new(&config, &map->forward_udp, err)
			 : forward_new(&config, &map->forward, err);

	if (r == 0)
		map->host_port =
			map->udp ? forward_udp_port(map->forward_udp) : forward_port(map->forward);
	return r;
}

int instance_isolate(struct instance *i, struct err *err)
{
	return i->network[0] ? lease_isolate(i->core->network, &i->shell->lease, i->network, err)
			     : 0;
}

int instance_publish(struct instance *i, struct err *err)
{
	int r = 0;

	for (unsigned n = 0; n < i->port_count && r == 0; n++)
		r = publish(i, &i->ports[n], err);
	return r;
}

void instance_unpublish(struct instance *i)
{
	for (unsigned n = 0; n < i->port_count; n++) {
		struct port_map *map = &i->ports[n];

		forward_free(map->forward);
		forward_udp_free(map->forward_udp);
		map->forward = NULL;
		map->forward_udp = NULL;
	}
}
