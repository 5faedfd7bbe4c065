/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/kvm and one VM of it: the ioctls that are not about a vCPU. Only the monitor opens /dev/kvm, and only here. */
#ifndef VMM_KVM_H
#define VMM_KVM_H

#include "abi/types.h"

#include <stdbool.h>

struct err;

struct kvm {
	int fd, vm_fd; /* owned; -1: closed */
	unsigned nslots;
	int run_bytes; /* size of a vCPU's kvm_run mapping */
};

/* Opens /dev/kvm and makes a VM without an interrupt controller. 0 or -errno; kvm_fini() is right in both cases. */
int kvm_init(struct kvm *kvm, struct err *err);
void kvm_fini(struct kvm *kvm);

/* Adds a memory slot. Before any ioeventfd: a change soon after one waits for a grace period of the kernel. */
int kvm_add_slot(
	struct kvm *kvm, gpa_t gpa, uint64_t bytes, void *hva, bool readonly, struct err *err);

/* A 4-byte write of any value to gpa is counted in fd and does not leave KVM. */
int kvm_add_ioeventfd(struct kvm *kvm, gpa_t gpa, int fd, struct err *err);

/* A full interrupt controller (PIC, IOAPIC, LAPICs) and a PIT in KVM: before any vCPU, after the memory slots. */
int kvm_make_irqchip(struct kvm *kvm, struct err *err);
/* A write to fd is a pulse of interrupt line gsi. */
int kvm_add_irqfd(struct kvm *kvm, unsigned gsi, int fd, struct err *err);

int kvm_new_vcpu(struct kvm *kvm, unsigned id, struct err *err);

#endif
