/* SPDX-License-Identifier: Apache-2.0 */
/* A clone starts inside platform_freeze() of its template; the identity event tells it to become someone else. */
#include "libos/sched/event.h"

#include "libos/arch/x86_64/cpu.h"
#include "libos/drv/net.h"
#include "libos/drv/platform.h"
#include "libos/exec/args.h"
#include "libos/fs/etc.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/random.h"
#include "libos/klib/string.h"
#include "libos/main.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread_impl.h"

static struct uig_identity *identity;
static uint32_t no_events;
uint32_t *event_word = &no_events;

void event_init(struct uig_identity *page, uint32_t *events)
{
	identity = page;
	event_word = page ? &page->events : events;
	if (page)
		page->freezes = 1;
}

void event_step(enum uig_step step)
{
	if (identity && !identity->step_tsc[step])
		identity->step_tsc[step] = rdtsc();
}

void event_apply_identity(void)
{
	if (!identity)
		return;
	random_seed(identity->entropy, sizeof(identity->entropy));
	if (identity->wall_ns)
		clock_set_wall(identity->wall_ns, identity->wall_tsc);
}

/* The options of the new argument line that may change while the program runs: network and names. */
static void reapply_args(void)
{
	struct args *fresh = kzalloc(sizeof(*fresh));
	uint32_t bytes = identity->args_bytes < UIG_IDENTITY_ARGS_MAX ? identity->args_bytes : 0;
	char *text = kmalloc(bytes + 1);

	if (fresh && text) {
		memcpy(text, identity->args, bytes);
		text[bytes] = 0;
		if (!args_parse(fresh, text)) {
			boot_args.net = fresh->net;
			memcpy(boot_args.hostname, fresh->hostname, sizeof(fresh->hostname));
			memcpy(boot_args.search, fresh->search, sizeof(fresh->search));
			etc_renew(&boot_args);
		}
	} else {
		kprintf("no memory to apply the new identity");
	}
	kfree(text);
	kfree(fresh);
}

/* The clock comes first: whatever else is done may ask for the time. With a line that can not be read the connections go all the same. */
static void become_another(void)
{
	clock_thaw(boot_tsc_khz());
	thread_thaw();
	event_apply_identity();
	event_step(UIG_STEP_THAWED);
	reapply_args();
	event_step(UIG_STEP_NAMES);
	net_reconfigure(&boot_args.net, boot_mac());
	event_step(UIG_STEP_ADDRESS);
}

/* Again when there is more: whoever comes out of platform_freeze() may be another instance, and learns it here, before anything else of
 * the libOS or of the program runs. */
void event_handle(void)
{
	uint32_t events;

	while ((events = __atomic_exchange_n(event_word, 0, __ATOMIC_ACQ_REL)) != 0) {
		if (events & UIG_EVENT_IDENTITY && identity)
			become_another();
		if (events & UIG_EVENT_TERM)
			signal_process(SIGTERM);
		if (events & UIG_EVENT_FREEZE) {
			clock_mark();
			platform_freeze();
		}
	}
}
