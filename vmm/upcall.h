/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupting the program of a guest that has no interrupts (struct uig_upcall in abi/identity.h).
 *
 * While the guest runs, the device loop looks every few milliseconds whether an upcall is due; when it is, the vCPU thread is asked to
 * leave the guest and sends the program to the libOS. The timer runs on for at most one period after the guest has gone to WAIT,
 * and is set again when it comes back: an idle instance has no wake-ups. Moving it in each wait would cost more than it saves
 * while waits are short; when the last one was longer than a period this one will be too, and the timer is set ahead, for one period behind the
 * wait's deadline: a program that ticks wakes the device loop not once, and each of its ticks sets the timer once, not twice.
 *
 * Looking at the devices reads the tap and listens to it again, which would cost a busy guest a tenth of its rate if it were done often. But
 * an answer that the libOS holds back (libos/drv/hold.h) while the program computes for once should not wait for that: after
 * something came the timer runs ten times as fast, and looks only whether the program went on long ago (`left` of the page).
 *
 * `period_ns`, `due_ns` and `unlooked_ns` are under the devices' lock, as who owns the devices tells whether the guest is in WAIT; `pending` is atomic: set by the device
 * loop, taken by the vCPU thread.
 */
#ifndef VMM_UPCALL_H
#define VMM_UPCALL_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct loop_io;
struct vm;

struct upcall {
	int timer_fd; /* owned */
	struct loop_io *io;
	int64_t period_ns;   /* that the timer was set for; 0: it is off */
	int64_t due_ns;      /* when it fires, CLOCK_MONOTONIC */
	int64_t unlooked_ns; /* in shorter periods since it looked at everything */
	int pending;
	int64_t wait_from; /* vCPU thread: when the wait began; the last one was longer than a period */
	bool waits_long;
	uint64_t delivered, rests; /* vCPU thread; rests: waits that moved the timer away */
};

/* Device loop. */
int upcall_init(struct vm *vm, struct err *err);
void upcall_fini(struct vm *vm);
/* Interrupts the program if an upcall is due; also called when an event bit has been set. */
void upcall_check(struct vm *vm);

/* The guest runs (again): keeps the timer going. Any thread. */
void upcall_arm(struct vm *vm);

/* vCPU thread, around a wait until the TSC reaches deadline; the second also keeps the timer going. */
void upcall_wait_begins(struct vm *vm, uint64_t deadline);
void upcall_wait_over(struct vm *vm);

/* vCPU thread, after KVM_RUN was interrupted and has finished its last exit: sends the program to the libOS if it was there, which it
 * returns. */
bool upcall_deliver(struct vm *vm);

#endif
