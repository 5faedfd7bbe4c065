/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest-physical map and the virtual map that the monitor builds for a libOS boot.
 *
 *   guest-physical                              what                                      written by
 *   0x0000'0000 - 0x0000'0fff                   nothing (a null gpa is a bug)             -
 *   0x0000'1000 - 0x0000'1fff                   boot information (abi/boot.h)             monitor
 *   0x0000'2000 - 0x0000'5fff                   identity (abi/identity.h)                 monitor
 *   0x0000'6000 - 0x0000'6fff                   GDT, then the TSS at +0x100               monitor
 *   0x0000'7000 - 0x0000'7fff                   IDT, 256 gates, empty at entry            libOS
 *   0x0000'8000 - 0x0000'8fff                   stack of the CPL-0 helpers (TSS.RSP0)     -
 *   0x0000'9000 - 0x0001'ffff                   page tables of the monitor                monitor, libOS
 *   0x0002'0000 - 0x0005'ffff                   rings of the prepared virtqueues          both
 *   0x0020'0000 - end of libos.elf              libOS, loaded at its p_paddr              monitor
 *   ... - ram_bytes                             free RAM (at most 3 GiB below the gap)    libOS
 *   0xc000'0000 - 0xffff'ffff                   devices: platform page, virtio-mmio       -
 *   0x1'0000'0000 - ...                         RAM beyond 3 GiB                          libOS
 *   0x40'0000'0000 - + image window             the EROFS image, read-only to the libOS   monitor
 *
 *   virtual                                     maps                                      page size
 *   0 - 0x0000'7fff'ffff'ffff                   the program, built by the libOS           4 KiB
 *   0xffff'8800'0000'0000 + gpa                 all RAM and the image window              2 MiB
 *   0xffff'ffff'8000'0000 + gpa                 the first GiB of RAM: libOS code and data 2 MiB
 *   0xffff'ffff'c000'0000 + (gpa - 3 GiB)       devices                                   2 MiB
 *
 * Every entry has the user bit: the libOS runs at CPL 3. PML4 slot 256 stays empty (slow under PVM).
 */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#include "abi/types.h"

#define UIG_GPA_BOOTINFO        0x1000ull
#define UIG_GPA_IDENTITY        0x2000ull
#define UIG_GPA_GDT             0x6000ull
#define UIG_GPA_TSS             0x6100ull
#define UIG_GPA_IDT             0x7000ull
#define UIG_GPA_RING0_STACK_TOP 0x9000ull
#define UIG_GPA_PAGE_TABLES     0x9000ull
#define UIG_GPA_PAGE_TABLES_END 0x20000ull
#define UIG_GPA_RINGS           0x20000ull
#define UIG_GPA_RINGS_END       0x60000ull
#define UIG_GPA_LIBOS           0x200000ull
#define UIG_GPA_MMIO            0xc0000000ull /* 3 GiB: end of low RAM, start of the device gap */
#define UIG_GPA_HIGH_RAM        0x100000000ull
#define UIG_GPA_IMAGE           0x4000000000ull
#define UIG_IMAGE_MAX_BYTES     0x100000000ull /* 4 GiB: four page directories */

#define UIG_GPA_PLATFORM  0xd0000000ull /* abi/platform.h, one page */
#define UIG_GPA_VIRTIO    0xd0001000ull /* one 4 KiB page per virtio-mmio device from here */
#define UIG_VIRTIO_STRIDE 0x1000ull

#define UIG_VA_DIRECT 0xffff880000000000ull
#define UIG_VA_KERNEL 0xffffffff80000000ull
#define UIG_VA_MMIO   0xffffffffc0000000ull
#define UIG_USER_TOP  0x00007ffffffff000ull /* first address the program can not have */

/* Selectors of the GDT that the monitor (or the PVH stub) builds. The order serves sysret: with
 * STAR[63:48] = UIG_STAR_USER it loads SS = +8 and CS = +16. */
#define UIG_SEL_CODE0 0x08u
#define UIG_SEL_DATA0 0x10u
#define UIG_STAR_USER 0x23u
#define UIG_SEL_DATA3 0x2bu
#define UIG_SEL_CODE3 0x33u
#define UIG_SEL_TSS   0x40u

#endif
