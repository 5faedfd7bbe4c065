/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up: the order in which the parts come up. */
#ifndef LIBOS_MAIN_H
#define LIBOS_MAIN_H

struct uig_bootinfo;

/* Entered at CPL 3 on the boot stack, by entry.S (uvmm) and standard.c. */
_Noreturn void libos_main(const struct uig_bootinfo *boot);

#endif
