/* SPDX-License-Identifier: Apache-2.0 */
/* A clone starts inside platform_wait() of its template; the identity event tells it to become someone else. */
#include "libos/sched/event.h"

#include "abi/identity.h"
#include "libos/drv/net.h"
#include "libos/exec/args.h"
#include "libos/fs/timerfd.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/clock.h"
#include "libos/sched/posix_timer.h"
#include "libos/sched/thread_impl.h"
#include "libos/klib/random.h"

static struct uig_identity *identity;
static uint32_t no_events;
uint32_t *event_word = &no_events;

void event_init(struct uig_identity *page, uint32_t *events)
{
	identity = page;
	event_word = page ? &page->events : events;
}

void event_apply_identity(void)
{
	if (!identity)
		return;
	random_seed(identity->entropy, sizeof(identity->entropy));
	if (identity->wall_ns)
		clock_set_wall(identity->wall_ns, identity->wall_tsc);
}

/* The options of the new argument line that may change while the program runs: network and host name. */
static void reapply_args(void)
{
	struct args *fresh = kzalloc(sizeof(*fresh));
	char *text = kmalloc(UIG_IDENTITY_ARGS_MAX);

	if (fresh && text) {
		memcpy(text, identity->args, UIG_IDENTITY_ARGS_MAX);
		text[UIG_IDENTITY_ARGS_MAX - 1] = 0;
		if (!args_parse(fresh, text)) {
			boot_args.net = fresh->net;
			if (fresh->hostname[0])
				memcpy(boot_args.hostname, fresh->hostname,
					sizeof(fresh->hostname));
			net_reconfigure(&boot_args.net, NULL);
		}
	} else {
		kprintf("no memory to apply the new identity");
	}
	kfree(text);
	kfree(fresh);
}

void event_handle(void)
{
	uint32_t events = __atomic_exchange_n(event_word, 0, __ATOMIC_ACQ_REL);

	if (events & UIG_EVENT_IDENTITY && identity) {
		clock_thaw();
		event_apply_identity();
		timerfd_clock_changed();
		posix_timers_clock_changed();
		reapply_args();
	}
	if (events & UIG_EVENT_TERM)
		signal_process(SIGTERM);
}
