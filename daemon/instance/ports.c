/* SPDX-License-Identifier: Apache-2.0 */
/* What of the network an instance has besides its address: published ports, taken with its start and given back with its end, and the network
 * that it belongs to as long as its shell holds the address. A port that another program took while there was no manager is lost to an instance
 * that is taken over: it is tried again each second, and published when it is free. */
#include "daemon/core.h"
#include "daemon/instance/impl.h"
#include "daemon/network/forward.h"
#include "daemon/network/forward_udp.h"
#include "daemon/network/network.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>

#define LOST_AGAIN_NS NS_PER_S

static bool is_published(const struct port_map *map)
{
	return map->forward || map->forward_udp;
}

/* Whose port stands in the way of this one; NULL: no instance's. */
static const struct instance *holder(const struct instances *is, const struct port_map *wanted)
{
	for (const struct instance *i = instances_first(is); i; i = i->next) {
		for (unsigned n = 0; n < i->port_count; n++) {
			const struct port_map *map = &i->ports[n];

			if (is_published(map) && map->udp == wanted->udp &&
				map->host_port == wanted->host_port &&
				(map->host_ip == wanted->host_ip || !map->host_ip ||
					!wanted->host_ip))
				return i;
		}
	}
	return NULL;
}

static int taken(const struct instance *i, const struct port_map *map, struct err *err)
{
	const struct instance *by = holder(i->core->instances, map);
	char ip[IPV4_TEXT_BYTES];

	ipv4_format(map->host_ip, ip);
	if (by)
		return err_set(err, EADDRINUSE,
			"cannot publish on %s:%u%s: the VM %s has it (take another port, or stop "
			"that)",
			ip, map->host_port, map->udp ? "/udp" : "", by->name);
	return err_set(err, EADDRINUSE,
		"cannot publish on %s:%u%s: another program has it (ss -ln%cp 'sport = %u' names "
		"it)",
		ip, map->host_port, map->udp ? "/udp" : "", map->udp ? 'u' : 't', map->host_port);
}

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
	return r == -EADDRINUSE ? taken(i, map, err) : r;
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

bool instance_port_is_lost(const struct instance *i, const struct port_map *map)
{
	return (i->state == VM_RUNNING || i->state == VM_PAUSED) && !is_published(map);
}

/* How many are lost still. first: it has just been taken over. */
static unsigned find_lost(struct instance *i, bool first)
{
	unsigned lost = 0;

	for (unsigned n = 0; n < i->port_count; n++) {
		struct port_map *map = &i->ports[n];
		struct err err = {0};

		if (!instance_port_is_lost(i, map))
			continue;
		if (publish(i, map, &err) == 0) {
			if (!first)
				log_info("a lost port is published again", "id=%s port=%u", i->id,
					map->host_port);
			continue;
		}
		lost++;
		if (first)
			log_error("a published port is lost", "id=%s error=\"%s\"", i->id, err.msg);
	}
	return lost;
}

void instances_find_lost_ports(void *arg)
{
	struct instances *is = arg;
	unsigned lost = 0;

	for (struct instance *i = is->first; i; i = i->next)
		lost += find_lost(i, false);
	if (lost)
		loop_timer_set(is->publisher, LOST_AGAIN_NS);
}

void instance_publish_again(struct instance *i)
{
	if (find_lost(i, true))
		loop_timer_set(i->core->instances->publisher, LOST_AGAIN_NS);
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
