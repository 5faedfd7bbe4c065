/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of abi/layout.h in the spelling of the assembler; idt.c asserts that they agree. */
#ifndef LIBOS_ARCH_ASM_H
#define LIBOS_ARCH_ASM_H

#define ASM_VA_KERNEL 0xffffffff80000000
#define ASM_SEL_CODE0 0x08
#define ASM_SEL_DATA0 0x10
#define ASM_STAR_USER 0x23
#define ASM_SEL_DATA3 0x2b
#define ASM_SEL_CODE3 0x33
#define ASM_SEL_TSS   0x40

#define UPCALL_RIP 16 /* in struct uig_upcall */

#endif
