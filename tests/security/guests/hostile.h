/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile program: one attack a run, by its name (hostile NAME). The program shares the address space and the privilege level
 * of its libOS, so it reaches everything that abi/ describes: boot information, rings, descriptor tables, device
 * registers. It asks the monitor for the places, as the libOS does, and never uses the libOS where an attack is on the
 * monitor.
 */
#ifndef TESTS_SECURITY_HOSTILE_H
#define TESTS_SECURITY_HOSTILE_H

#include "abi/boot.h"
#include "abi/layout.h"
#include "abi/platform.h"
#include "abi/virtio.h"

#include <stdint.h>

struct attack {
	const char *name;
	int (*run)(void); /* the exit status, when it comes back */
};

/* Tables of the files beside, each ended by an entry without a name. */
extern const struct attack crash_attacks[], scribble_attacks[], ring0_attacks[], device_attacks[],
	ring_attacks[], wire_attacks[], exhaust_attacks[];

/* A line on the console, whole. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Runs for ever, without a call. */
_Noreturn void spin(void);
/* Repeatable rubbish. */
uint64_t rubbish(void);

/* Guest-physical RAM as the direct map shows it. */
static inline void *ram(gpa_t at)
{
	return (void *)(UIG_VA_DIRECT + at);
}

static inline const struct uig_bootinfo *bootinfo(void)
{
	return ram(UIG_GPA_BOOTINFO);
}

/* The registers of a device as the libOS maps them. */
static inline volatile void *registers(gpa_t at)
{
	return (volatile void *)(UIG_VA_MMIO + (at - UIG_GPA_MMIO));
}

static inline void write_platform(uint64_t reg, uint64_t value)
{
	*(volatile uint64_t *)registers(UIG_GPA_PLATFORM + reg) = value;
}

static inline void write_device(const struct uig_device *dev, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)registers(dev->mmio + reg) = value;
}

/* The device of this type, or NULL. */
const struct uig_device *find_device(uint32_t type);

#endif
