/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One vCPU and its thread. The thread sleeps until it is released, runs the guest, and leaves it only on an exit of
 * KVM's or when another thread has made a request.
 *
 * Requests: the asker stores `request`, then sets immediate_exit, then sends the signal. The thread clears immediate_exit
 * and then looks at `request`, before each KVM_RUN. So a request that comes between the look and KVM_RUN finds
 * immediate_exit set again, and one that comes later interrupts KVM_RUN by the signal.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct err;
struct kvm;
struct kvm_run;
struct vm;

#define VCPU_SIGNAL SIGUSR1

enum vcpu_request { VCPU_RUN = 0, VCPU_PAUSE, VCPU_STOP };

enum vcpu_exit { EXIT_MMIO, EXIT_IO, EXIT_HLT, EXIT_INTR, EXIT_OTHER, EXIT_KINDS };

struct vcpu {
	int fd;              /* owned; -1: none */
	struct kvm_run *run; /* owned mapping */
	size_t run_bytes;
	pthread_t thread;
	bool has_thread;
	uint64_t cpu_ns; /* set when the thread ends */
	int request;     /* enum vcpu_request; atomic */
	struct vm *vm;
	/* vCPU thread alone */
	bool waiting;      /* the guest is in WAIT */
	uint64_t deadline; /* of that */
	uint64_t exits[EXIT_KINDS];
};

int vcpu_init(struct vcpu *vcpu, struct vm *vm, struct kvm *kvm, struct err *err);
/* Stops and joins the thread first. */
void vcpu_fini(struct vcpu *vcpu);

/* Makes the thread; it calls vm_vcpu_begin() and then runs the guest. */
int vcpu_start_thread(struct vcpu *vcpu, struct err *err);

/* Ends and joins the thread; the counters stay readable. */
void vcpu_stop(struct vcpu *vcpu);

/* Asks the thread for something; returns at once. Any other thread. */
void vcpu_ask(struct vcpu *vcpu, enum vcpu_request request);

/* vCPU thread: runs the guest up to its first exit, whatever that is, finishes the exit's instruction, and drops it. The address that was
 * written to; 0: it was another exit. */
uint64_t vcpu_run_aside(struct vcpu *vcpu);

/* vCPU thread: finishes the instruction of the last exit, and does not go on into the guest. */
void vcpu_finish_exit(struct vcpu *vcpu);

/* Makes KVM_RUN return -EINTR once, with its last exit finished. Any other thread. */
void vcpu_interrupt(struct vcpu *vcpu);

/* A non-maskable interrupt; needs an interrupt controller in KVM to arrive in time. Any thread. */
void vcpu_nmi(struct vcpu *vcpu);

/* Of all kinds, so far. */
uint64_t vcpu_exits(const struct vcpu *vcpu);

/* CPU time of the thread in ns; 0 before it exists. */
uint64_t vcpu_cpu_ns(const struct vcpu *vcpu);

#endif
