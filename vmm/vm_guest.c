/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vCPU thread's side of a VM: when its thread may enter the guest, and what the guest's writes to the platform page mean. The life cycle,
 * which the device loop leads, is in vm.c; the two meet under state_lock. All values come from the guest, and may be anything.
 *
 *   vm_vcpu_begin() -> the guest runs <-> its exits: vm_guest_*(), vm_vcpu_wait(), vm_vcpu_interrupted()
 *         |                ^   |
 *         | rehearsal      |   +-- asked by the loop --> vm_vcpu_obey(): paused, or the end
 *         +-- of a clone --+
 */
#include "abi/layout.h"
#include "abi/platform.h"
#include "lib/loop.h"
#include "vmm/arch/x86_64/boot_libos.h"
#include "vmm/giveback.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

static int request_of(const struct vm *vm)
{
	return __atomic_load_n(&vm->vcpu.request, __ATOMIC_SEQ_CST);
}

/* With state_lock, which is given up meanwhile. Doorbells are heard by nobody: the devices are frozen. */
static void run_rehearsal(struct vm *vm)
{
	bool there;

	pthread_mutex_unlock(&vm->state_lock);
	boot_libos_warm_clone(vm, vm->warm);
	there = vcpu_run_aside(&vm->vcpu) == UIG_GPA_PLATFORM + UIG_REG_FREEZE;
	pthread_mutex_lock(&vm->state_lock);
	vm->rehearsed = there;
	vm->rehearse = false;
	pthread_cond_broadcast(&vm->state_changed);
}

bool vm_vcpu_begin(struct vm *vm)
{
	int r = sandbox_enter(
		SANDBOX_VCPU); /* it opens nothing: so not on the way of the request */

	if (r < 0) {
		vm_end(vm, END_ERROR, 0, "cannot enter the sandbox: %s", strerror(-r));
		return false;
	}
	if (vm->kind == BOOT_LIBOS && !vm->blank)
		boot_libos_warm_up(vm);
	pthread_mutex_lock(&vm->state_lock);
	vm->parked = true;
	pthread_cond_broadcast(&vm->state_changed);
	while (vm->state != VM_RUNNING && vm->state != VM_ENDED && request_of(vm) != VCPU_STOP) {
		if (vm->rehearse)
			run_rehearsal(vm);
		else
			pthread_cond_wait(&vm->state_changed, &vm->state_lock);
	}
	vm->parked = false;
	pthread_mutex_unlock(&vm->state_lock);
	stat_set(&vm->times.run_ns, (uint64_t)loop_now_ns());
	return request_of(vm) != VCPU_STOP && vm_state(vm) != VM_ENDED;
}

bool vm_vcpu_obey(struct vm *vm)
{
	vcpu_finish_exit(&vm->vcpu);
	pthread_mutex_lock(&vm->state_lock);
	while (request_of(vm) == VCPU_PAUSE) {
		vm->parked = true;
		pthread_cond_broadcast(&vm->state_changed);
		pthread_cond_wait(&vm->state_changed, &vm->state_lock);
	}
	vm->parked = false;
	pthread_mutex_unlock(&vm->state_lock);
	return request_of(vm) != VCPU_STOP;
}

static void reach(struct vm *vm, enum uig_milestone which)
{
	if (stat_get(&vm->times.milestone_ns[which]))
		return;
	stat_set(&vm->times.milestone_exits[which], vcpu_exits(&vm->vcpu));
	stat_set(&vm->times.milestone_ns[which], (uint64_t)loop_now_ns());
	eventfd_write(vm->notify_fd, 1);
}

void vm_clone_runs(struct vm *vm)
{
	uint32_t before = vm->milestones_before;

	vm->milestones_before = 0;
	for (unsigned i = 0; i < VM_MILESTONES; i++) {
		if (before >> i & 1)
			reach(vm, (enum uig_milestone)i);
	}
}

bool vm_vcpu_wait(struct vm *vm, uint64_t deadline)
{
	if (deadline && stat_get(&vm->times.milestone_ns[UIG_MS_LISTEN]))
		reach(vm, UIG_MS_IDLE);
	upcall_wait_begins(vm, deadline);
	if (devices_wait(&vm->devices, deadline, &vm->vcpu.request) == -EINTR)
		return true;
	upcall_wait_over(vm);
	return false;
}

bool vm_vcpu_wanted(struct vm *vm)
{
	return __atomic_load_n(&vm->upcall.pending, __ATOMIC_SEQ_CST) != 0;
}

/* Where the program itself was interrupted, a clone goes on, though it may spin and never exit by itself. */
void vm_vcpu_interrupted(struct vm *vm)
{
	if (!__atomic_exchange_n(&vm->upcall.pending, 0, __ATOMIC_SEQ_CST))
		return;
	if (upcall_deliver(vm) && vm->milestones_before)
		vm_clone_runs(vm);
}

void vm_guest_wait(struct vm *vm, uint64_t deadline)
{
	vm->vcpu.deadline = deadline;
	vm->vcpu.waiting = true;
}

void vm_guest_exit(struct vm *vm, uint32_t kind, uint32_t code)
{
	switch (kind) {
	case UIG_EXIT_CODE:
		vm_end(vm, END_EXIT, code & 0xff, "the program ended");
		break;
	case UIG_EXIT_SIGNAL:
		vm_end(vm, END_SIGNAL, code & 0x7f, "signal %u", code & 0x7f);
		break;
	case UIG_EXIT_NOEXEC:
		vm_end(vm, END_NOEXEC, code, "%s", strerror((int)(code & 0xfff)));
		break;
	case UIG_EXIT_PANIC:
		vm_end(vm, END_PANIC, code, "the libOS gave up");
		break;
	default:
		vm_end(vm, END_PANIC, code, "exit of unknown kind %u", kind);
		break;
	}
}

void vm_guest_milestone(struct vm *vm, uint64_t value)
{
	uint32_t which = (uint32_t)value;

	upcall_arm(vm); /* a program may run for ever without a wait */
	if (which == UIG_MS_LISTEN && !stat_get(&vm->times.milestone_ns[which]))
		stat_set(&vm->listen_port, value >> 32 & 0xffff);
	if (which < UIG_MS_IDLE)
		reach(vm, (enum uig_milestone)which);
}

/* Bits are only ever set, by the vCPU thread; the report may be made by the other one meanwhile, which hears of each new one. */
void vm_guest_missing(struct vm *vm, uint64_t call)
{
	uint64_t bit = 1ull << call % 64;

	if (call >= UIG_CALLS_MAX)
		return;
	if (__atomic_fetch_or(&vm->missing_calls[call / 64], bit, __ATOMIC_RELAXED) & bit)
		return;
	eventfd_write(vm->notify_fd, 1);
}

void vm_guest_free(struct vm *vm, uint64_t list)
{
	stat_add(&vm->returned_bytes, giveback_serve(&vm->mem, list));
}

/* The vCPU thread sleeps inside the guest's write until the pause that wants it has come, or is given up. */
void vm_guest_freeze(struct vm *vm)
{
	pthread_mutex_lock(&vm->state_lock);
	if (vm->freeze_wanted) {
		vm->at_freeze = true;
		pthread_cond_broadcast(&vm->state_changed);
		while (vm->at_freeze && vm->state == VM_RUNNING && request_of(vm) == VCPU_RUN)
			pthread_cond_wait(&vm->state_changed, &vm->state_lock);
	}
	pthread_mutex_unlock(&vm->state_lock);
}

void vm_guest_debug(struct vm *vm, uint8_t byte)
{
	pthread_mutex_lock(&vm->devices.lock);
	console_debug(&vm->devices.console, byte);
	pthread_mutex_unlock(&vm->devices.lock);
}
