/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of an x86-64 vCPU. Called before the vCPU thread exists, or by that thread. */
#ifndef VMM_ARCH_X86_64_CPU_H
#define VMM_ARCH_X86_64_CPU_H

#include "abi/types.h"

struct err;

/* Gives the vCPU all features that KVM supports. *xcr0: the extended state that they include. */
int cpu_set_features(int kvm_fd, int vcpu_fd, uint64_t *xcr0, struct err *err);

/* The same for a standard machine: one processor with number 0, the LAPIC's deadline timer, and the sign of a hypervisor. */
int cpu_set_features_std(int kvm_fd, int vcpu_fd, uint64_t *xcr0, struct err *err);

/* Everything of the entry state of abi/boot.h but the general registers: CPL 3 in long mode. 0 or -errno. */
int cpu_enter_user(int vcpu_fd, gpa_t cr3, uint64_t lstar, uint64_t xcr0, struct err *err);

/* General registers; those that are not named are 0. 0 or -errno. */
struct cpu_regs {
	uint64_t rip, rsp, rdi, rsi;
};
int cpu_set_regs(int vcpu_fd, const struct cpu_regs *regs);

/* Sends the vCPU to target when it is below limit and nothing is being delivered to it: 1 and *rip where it was, 0 when not, or
 * -errno. After KVM_RUN has returned -EINTR: no exit may be unfinished. */
int cpu_divert(int vcpu_fd, uint64_t limit, uint64_t target, uint64_t *rip);

/* Makes the guest's TSC the host's, where that can be set, and tells its frequency (0: unknown). */
uint64_t cpu_share_tsc(int vcpu_fd);

static inline uint64_t cpu_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

#endif
