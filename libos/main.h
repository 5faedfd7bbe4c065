/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up: the order in which the parts come up. */
#ifndef LIBOS_MAIN_H
#define LIBOS_MAIN_H

#include <stdint.h>

struct uig_bootinfo;

/* Entered at CPL 3 on the boot stack, by entry.S (uvmm) and standard.c. */
_Noreturn void libos_main(const struct uig_bootinfo *boot);

/* What the boot information says now, a clone's after its thaw: the MAC of eth0 (NULL: there is none), the frequency of the TSC (0: unknown). */
const uint8_t *boot_mac(void);
uint64_t boot_tsc_khz(void);

#endif
