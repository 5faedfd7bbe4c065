/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who hears of an instance that ended without a word (its monitor was killed, its libOS failed): those of its application and of its network, which are
 * those that talk to it. An orderly end tells its connections itself. Others are left asleep.
 */
#include "daemon/core.h"
#include "daemon/instance/impl.h"
#include "daemon/network/network.h"

#include "lib/log.h"

#include <string.h>

static bool belong_together(const struct instance *a, const struct instance *b)
{
	return (a->mark.app[0] && strcmp(a->mark.app, b->mark.app) == 0) ||
		(a->network[0] && strcmp(a->network, b->network) == 0);
}

static bool may_wait(const struct instance *i)
{
	return i->state == VM_RUNNING || i->state == VM_STOPPING;
}

void instance_tell_gone(const struct instance *gone)
{
	unsigned told = 0;

	for (struct instance *i = instances_first(gone->core->instances); i; i = i->next) {
		if (i != gone && i->ip && may_wait(i) && belong_together(gone, i))
			told += network_announce(
					gone->core->network, gone->ip, gone->mac, i->mac) == 0;
	}
	log_debug("neighbours are told of an end", "id=%s told=%u", gone->id, told);
}
