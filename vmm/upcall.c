/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/upcall.h"

#include "abi/layout.h"
#include "abi/platform.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "vmm/arch/x86_64/cpu.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define PERIOD_NS                                                                                  \
	(5 * NS_PER_MS) /* preempt at some hundred Hz at most: an upcall costs some 50 us (KVM by software) */
/* After something came, whose answer the libOS may hold back (libos/drv/hold.h). */
#define FRESH_NS   (NS_PER_MS / 2)
#define HELD_US    300u /* an answer that is held back by a program that went on so long ago is sent */
#define UPPER_HALF 0xffff800000000000ull

static uint64_t entry_of(const struct vm *vm)
{
	uint64_t entry = 0;

	if (vm->identity)
		entry = __atomic_load_n(&vm->identity->upcall.entry, __ATOMIC_ACQUIRE);

	return entry >= UPPER_HALF ? entry : 0;
}

/* Under the devices' lock, as the next ones: fires a period after `from`. */
static void set_timer(struct upcall *u, int64_t from, int64_t period)
{
	int64_t due = from + period;
	struct itimerspec its = {.it_value = {due / NS_PER_S, due % NS_PER_S}};

	u->due_ns = due;
	u->period_ns =
		timerfd_settime(u->timer_fd, TFD_TIMER_ABSTIME, &its, NULL) == 0 ? period : 0;
}

static void stop_timer(struct upcall *u)
{
	static const struct itimerspec off;

	timerfd_settime(u->timer_fd, 0, &off, NULL);
	u->period_ns = 0;
}

/* When the program went on while something is held back; 0: nothing is. */
static uint64_t held_since(const struct vm *vm)
{
	return entry_of(vm) ? __atomic_load_n(&vm->identity->upcall.left, __ATOMIC_ACQUIRE) : 0;
}

static int64_t period(const struct vm *vm)
{
	return vm->devices.brought || held_since(vm) ? FRESH_NS : PERIOD_NS;
}

/* For so long that the next call, which would send it, is not near. */
static bool held_for_long(const struct vm *vm)
{
	uint64_t since = held_since(vm);

	return since && cpu_tsc() - since >= vm->devices.tsc_khz * HELD_US / 1000;
}

static void on_tick(void *arg, uint32_t events)
{
	struct vm *vm = arg;
	struct upcall *u = &vm->upcall;
	uint64_t count;
	bool runs, look;

	if (read(u->timer_fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&vm->devices.lock);
	runs = !vm->devices.vcpu_owns && !vm->devices.frozen;
	u->unlooked_ns += u->period_ns;
	look = u->unlooked_ns >= PERIOD_NS;
	u->period_ns = 0;
	if (runs)
		set_timer(u, loop_now_ns(), period(vm));
	if (look || !runs)
		u->unlooked_ns = 0;
	vm->devices.brought = false;
	pthread_mutex_unlock(&vm->devices.lock);
	if (!runs)
		return;
	if (look || held_for_long(vm))
		devices_look(&vm->devices);
	if (look)
		upcall_check(vm);
}

int upcall_init(struct vm *vm, struct err *err)
{
	struct upcall *u = &vm->upcall;
	int r;

	*u = (struct upcall){
		.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
	if (u->timer_fd < 0)
		return err_sys(err, errno, "timer");
	r = loop_io_add(vm->loop, u->timer_fd, EPOLLIN, on_tick, vm, &u->io);
	return r < 0 ? err_sys(err, -r, "timer") : 0;
}

void upcall_fini(struct vm *vm)
{
	struct upcall *u = &vm->upcall;

	loop_io_del(u->io);
	if (u->timer_fd >= 0)
		close(u->timer_fd);
	*u = (struct upcall){.timer_fd = -1};
}

static void keep_going(struct vm *vm, int64_t now)
{
	struct upcall *u = &vm->upcall;

	if (!entry_of(vm))
		return;
	pthread_mutex_lock(&vm->devices.lock);
	vm->devices.looked_at = true;
	if (!u->period_ns || u->due_ns - now > period(vm))
		set_timer(u, now, period(vm));
	pthread_mutex_unlock(&vm->devices.lock);
}

void upcall_arm(struct vm *vm)
{
	keep_going(vm, loop_now_ns());
}

void upcall_wait_begins(struct vm *vm, uint64_t deadline)
{
	struct upcall *u = &vm->upcall;
	int64_t left;

	u->wait_from = loop_now_ns();
	if (!u->waits_long || !entry_of(vm))
		return;
	left = devices_ns_until(&vm->devices, deadline);
	pthread_mutex_lock(&vm->devices.lock);
	if (left >= 0)
		set_timer(u, u->wait_from + left, PERIOD_NS);
	else if (u->period_ns)
		stop_timer(u);
	pthread_mutex_unlock(&vm->devices.lock);
	stat_inc(&u->rests);
}

void upcall_wait_over(struct vm *vm)
{
	int64_t now = loop_now_ns();

	vm->upcall.waits_long = now - vm->upcall.wait_from >= period(vm);
	vm->devices.rests = vm->upcall.waits_long;
	keep_going(vm, now);
}

void upcall_check(struct vm *vm)
{
	const struct uig_identity *id = vm->identity;

	if (!entry_of(vm))
		return;
	if (__atomic_load_n(&id->events, __ATOMIC_SEQ_CST) == 0 &&
		cpu_tsc() < __atomic_load_n(&id->upcall.tsc, __ATOMIC_ACQUIRE))
		return;
	__atomic_store_n(&vm->upcall.pending, 1, __ATOMIC_SEQ_CST);
	vcpu_interrupt(&vm->vcpu);
}

bool upcall_deliver(struct vm *vm)
{
	struct uig_upcall *page = &vm->identity->upcall;
	uint64_t entry = entry_of(vm), rip;

	if (!entry || cpu_divert(vm->vcpu.fd, UIG_USER_TOP, entry, &rip) <= 0)
		return false;
	__atomic_store_n(&page->rip, rip, __ATOMIC_RELAXED);
	__atomic_store_n(&page->tsc, UIG_WAIT_FOREVER, __ATOMIC_RELAXED);
	stat_inc(&vm->upcall.delivered);
	return true;
}
