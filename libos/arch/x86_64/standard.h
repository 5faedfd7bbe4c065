/* SPDX-License-Identifier: Apache-2.0 */
/* Standard machines (PVH): what pvh.S leaves, turned into the boot information that uvmm would have given. */
#ifndef LIBOS_ARCH_STANDARD_H
#define LIBOS_ARCH_STANDARD_H

#include "abi/types.h"

/* Event bits of abi/identity.h for machines without identity page; set by the NMI handler. */
extern uint32_t standard_events;
/* The kernel command line, or "". It is copied and may be changed. */
extern char standard_cmdline[];
#define STANDARD_CMDLINE_BYTES 4096

/* The direct map of RAM beyond the first GiB; needs frames. */
void standard_map_ram(void);
/* TSC frequency measured against the LAPIC timer: takes 2 ms. */
uint64_t standard_calibrate_khz(void);
_Noreturn void standard_triple_fault(void);

#endif
