/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a vCPU of a libOS machine is beside memory, as it is kept in a snapshot: general and system registers, extended state (x87 to AVX-512)
 * with XCR0, model-specific registers, and what is being delivered. There is no interrupt controller, no debug register and no local APIC
 * to keep: the guest never leaves CPL 3.
 *
 * Both functions: the vCPU does not run (parked, or not started). Source: KVM's api.rst.
 */
#ifndef VMM_ARCH_X86_64_CPU_STATE_H
#define VMM_ARCH_X86_64_CPU_STATE_H

#include <linux/kvm.h>
#include <stdint.h>

struct err;

#define CPU_STATE_MSRS 8u

struct cpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	uint64_t xcr0;
	uint32_t nmsrs, reserved;
	struct kvm_msr_entry msr[CPU_STATE_MSRS];
	struct kvm_xsave xsave;
};

/* 0 or -errno. */
int cpu_state_get(int vcpu_fd, struct cpu_state *state, struct err *err);
/* The state may come from anyone: KVM checks it, and it says nothing about the host. 0 or -errno. */
int cpu_state_set(int vcpu_fd, const struct cpu_state *state, struct err *err);

/* The general registers alone. 0 or -errno. */
int cpu_state_get_regs(int vcpu_fd, struct kvm_regs *regs);
int cpu_state_set_regs(int vcpu_fd, const struct kvm_regs *regs);

/* A number for what this processor and this KVM offer a guest: a snapshot runs where that is the same. 0 or -errno. */
int cpu_state_fingerprint(int kvm_fd, uint64_t *fingerprint, struct err *err);

#endif
