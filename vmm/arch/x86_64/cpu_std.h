/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of a vCPU at a standard entry. Called before the vCPU runs. */
#ifndef VMM_ARCH_X86_64_CPU_STD_H
#define VMM_ARCH_X86_64_CPU_STD_H

#include "abi/types.h"

struct err;
struct mem;

/* 32-bit protected mode without paging: RIP = entry, RBX = start_info. 0 or -errno. */
int cpu_enter_pvh(
	int vcpu_fd, const struct mem *mem, gpa_t entry, gpa_t start_info, struct err *err);
/* 64-bit long mode with the first GiB mapped to itself: RIP = entry, RSI = boot_params. */
int cpu_enter_linux(
	int vcpu_fd, const struct mem *mem, gpa_t entry, gpa_t boot_params, struct err *err);
/* The LAPIC's lines as a BIOS leaves them: LINT0 takes the PIC, LINT1 is NMI. */
int cpu_set_lint(int vcpu_fd, struct err *err);

#endif
