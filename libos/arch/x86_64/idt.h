/* SPDX-License-Identifier: Apache-2.0 */
/* The interrupt descriptor table and the stacks that exceptions arrive on. */
#ifndef LIBOS_ARCH_IDT_H
#define LIBOS_ARCH_IDT_H

#include "abi/types.h"

/* Fills an IDT and the IST fields of a TSS, both in use already. nmi_stack: top of a stack for NMI and interrupts at
 * CPL 0 (standard machines); 0: the machine has neither (uvmm). */
void idt_init(void *idt, void *tss, uint64_t nmi_stack);

#endif
