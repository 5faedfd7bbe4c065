/* SPDX-License-Identifier: Apache-2.0 */
/* An instance and its health checks: they run while it is RUNNING, and no longer. While it is PAUSED the word of the last one stands; they begin
 * anew when it goes on. */
#include "daemon/core.h"
#include "daemon/events.h"
#include "daemon/instance/impl.h"
#include "lib/log.h"
#include "lib/loop.h"

static void end_it(struct instance *i, const char *why)
{
	snprintf(i->reason, sizeof(i->reason), "unhealthy: %s", why);
	health_free(steal_ptr(&i->checks)); /* why is its */
	shell_kill(i->shell);               /* not stopped by anybody: it has crashed */
}

static void changed(void *arg, enum health_state state, const char *why)
{
	struct instance *i = arg;

	i->health_state = state;
	log_info("health", "id=%s name=%s state=%s why=\"%s\"", i->id, i->name,
		health_state_names[state], why);
	events_vm(i->core->events, health_state_names[state], i);
	if (state == HEALTH_UNHEALTHY && i->health.ends)
		end_it(i, why);
}

void instance_watch_health(struct instance *i)
{
	int r;

	if (i->state == VM_PAUSED) {
		if (i->checks)
			health_rest(i->checks);
		return;
	}
	health_free(steal_ptr(&i->checks));
	i->health_state = HEALTH_STARTING;
	if (i->state != VM_RUNNING || i->health.kind == HEALTH_NONE)
		return;
	r = health_new(i->core->loop, i->core->network, i->ip, &i->health, changed, i, &i->checks);
	if (r < 0)
		log_error("cannot check a VM's health", "id=%s error=%d", i->id, -r);
}
