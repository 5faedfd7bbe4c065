/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables of a standard machine: one processor, an IOAPIC, COM1, and the virtio-mmio devices (as "LNRO0005"), without the
 * legacy hardware of a PC. A kernel without ACPI finds the same devices by its command line.
 *
 * Specification: ACPI 6.5, sections 5.2 (tables), 20 (AML).
 */
#ifndef VMM_ARCH_X86_64_ACPI_H
#define VMM_ARCH_X86_64_ACPI_H

#include "abi/types.h"

struct mem;

#define ACPI_RSDP   0xe0000ull /* where kernels look for it */
#define ACPI_TABLES 0xe1000ull
#define ACPI_END    0xe4000ull

struct acpi_device {
	uint32_t base, gsi; /* a register page below 4 GiB; its interrupt */
};

/* Writes all tables. 0, -EINVAL when there is no RAM there, -ENOSPC when there are too many devices. */
int acpi_build(const struct mem *mem, const struct acpi_device *device, unsigned n);

#endif
