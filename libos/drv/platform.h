/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the libOS needs of the machine, in two kinds: uvmm (abi/platform.h), and standard machines such as QEMU microvm and
 * Firecracker (HLT, LAPIC timer, interrupts that only wake). Chosen once at boot.
 */
#ifndef LIBOS_DRV_PLATFORM_H
#define LIBOS_DRV_PLATFORM_H

#include "abi/platform.h"

#include <stdbool.h>
#include <stdint.h>

struct uig_bootinfo;

void platform_init(const struct uig_bootinfo *boot);
/* Sleeps until a device has news for an armed queue, an event bit is set, or clock_mono_ns() >= deadline (TIME_FOREVER: none). */
void platform_wait(uint64_t deadline);
/* Does a wait first serve all queues, so that a guest that is about to sleep needs no kick (abi/platform.h, WAIT)? */
bool platform_wait_serves(void);
_Noreturn void platform_exit(enum uig_exit_kind kind, unsigned code);
/* port: see LISTEN in abi/platform.h; else 0. */
void platform_milestone(enum uig_milestone ms, uint16_t port);
/* The program made a system call of this number that is not there. */
void platform_missing(unsigned call);
/* Where the instance may be frozen and copied: it may be another one when this returns. */
void platform_freeze(void);
/* Gives the memory of the list (one page, in the direct map) back to the host; how many of its ranges are zero now. */
struct uig_free_list;
unsigned platform_free(struct uig_free_list *list);
/* RAM up to there is about to be used: the identity page says what of it can (abi/platform.h). */
void platform_ram(gpa_t end);
/* One byte, unbuffered, works at any time: for panics. */
void platform_debug_putc(char c);

/* Standard machines: an interrupt at the latest when clock_mono_ns() >= deadline (TIME_FOREVER: none is needed). 0: one has
 * come. */
void platform_preempt(uint64_t deadline);

/* CLOCK_REALTIME by the machine's own clock chip, to the second; 0: it has none. Slow. */
uint64_t platform_wall_ns(void);

/* 32- and 64-bit device registers (virtio-mmio). */
uint32_t mmio_read32(uint64_t gpa);
void mmio_write32(uint64_t gpa, uint32_t value);

#endif
