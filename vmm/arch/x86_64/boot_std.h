/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard boot: an ELF kernel on a machine as Firecracker builds it: PVH entry where the kernel has the note, else the Linux
 * 64-bit protocol. Interrupts by an IOAPIC and a LAPIC in KVM, COM1, i8042 reset, virtio-mmio from 0xc0001000 with GSI 5 and up,
 * ACPI and words on the command line that name them.
 *
 *   0x500 GDT   0x520 IDT   0x6000 start info (PVH)   0x7000 memory map (PVH) or boot parameters (Linux)   0x9000 page tables
 *   0x20000 command line   0xe0000 ACPI   1 MiB and up: the kernel   top of low RAM: the initrd
 *
 * Sources: Xen public/arch-x86/hvm/start_info.h, Documentation/arch/x86/boot.rst, KVM's api.rst: facts.
 */
#ifndef VMM_ARCH_X86_64_BOOT_STD_H
#define VMM_ARCH_X86_64_BOOT_STD_H

#include "abi/types.h"

struct err;
struct vm;

#define STD_VIRTIO     0xc0001000ull
#define STD_GSI_FIRST  5u
#define STD_BOOT_TIMER 0xc0000000ull
#define STD_LAPIC      0xfee00000u
#define STD_IOAPIC     0xfec00000u
#define STD_COM1       0x3f8u
#define STD_COM1_GSI   4u

enum boot_kind { BOOT_AUTO, BOOT_LIBOS, BOOT_PVH, BOOT_LINUX };
extern const char *const boot_kind_names[]; /* NULL behind the last */

/* What the kernel at path wants: by its notes. 0 and *kind, or -errno. */
int boot_std_detect(const char *path, enum boot_kind *kind, struct err *err);

/* With the shell: processor features. 0 or -errno. */
int boot_std_prepare(struct vm *vm, struct err *err);
/* At the start, with all devices there: kernel, initrd, command line, tables, registers. 0 or -errno. */
int boot_std_load(struct vm *vm, struct err *err);

#endif
