/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pollers and the idle loop. There are no interrupts to handle: devices are looked at when the program makes a call, and before
 * sleeping. The order "arm, look again, sleep" is what keeps wake-ups from being lost (Linux and Solo5 do the same).
 */
#include "libos/sched/idle.h"

#include "libos/arch/x86_64/cpu.h"
#include "libos/drv/platform.h"
#include "libos/mem/giveback.h"
#include "libos/sched/clock.h"
#include "libos/sched/event.h"
#include "libos/sched/thread_impl.h"

#define COMPUTES_NS    200000u /* without a call: a thread that computes */
#define COMPUTES_CALLS 16u     /* for so many calls after that */

static struct list pollers = LIST_INIT(pollers);
void poller_add(struct poller *p)
{
	list_add_tail(&pollers, &p->link);
}

static bool run_pollers(void)
{
	bool any = false;

	list_for_each (p, &pollers, struct poller, link) {
		if (p->pending()) {
			p->run();
			any = true;
		}
	}
	return any;
}

static void kick_pollers(bool waits)
{
	list_for_each (p, &pollers, struct poller, link) {
		if (p->kick && !(waits && p->served_by_wait))
			p->kick();
	}
}

void pollers_leave(void)
{
	bool any = false;

	list_for_each (p, &pollers, struct poller, link) {
		if (p->leave)
			any |= p->leave(current_thread->computes > 0);
		else if (p->kick)
			p->kick();
	}
	upcall_page->left = any ? rdtsc() : 0;
}

void pollers_entered(void)
{
	struct thread *t = current_thread;

	if (clock_cycles_ns(rdtsc() - upcall_page->left) > COMPUTES_NS)
		t->computes = COMPUTES_CALLS;
	else if (t->computes > 0)
		t->computes--;
	upcall_page->left = 0;
}

static bool arm_pollers(void)
{
	bool any = false;

	list_for_each (p, &pollers, struct poller, link) {
		if (p->arm)
			p->arm();
	}
	__sync_synchronize(); /* pairs with the device's: used index written, then our wish to hear of it read */
	list_for_each (p, &pollers, struct poller, link)
		any |= p->pending();
	return any;
}

void sched_poll(void)
{
	if (event_pending())
		event_handle();
	run_pollers();
	if (ktimer_next != TIME_FOREVER && ktimer_next <= clock_mono_ns())
		ktimer_run();
}

void idle(void)
{
	uint64_t next;

	sched_poll();
	if (sched_runnable())
		return;
	giveback_check();
	kick_pollers(true);
	if (arm_pollers() || event_pending()) {
		kick_pollers(false);
		return;
	}
	next = ktimer_next;
	platform_wait(next);
}
