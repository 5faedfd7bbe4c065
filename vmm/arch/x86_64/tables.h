/* SPDX-License-Identifier: Apache-2.0 */
/* Page tables, GDT and TSS of a libOS boot, as abi/layout.h draws them. */
#ifndef VMM_ARCH_X86_64_TABLES_H
#define VMM_ARCH_X86_64_TABLES_H

#include "abi/types.h"

struct err;
struct mem;

/* Most RAM that the tables can map: three low page directories and what is left of the table pages. */
#define TABLES_RAM_MAX_MIB 14336u

/* Writes all tables into guest memory; low and high are the bytes of RAM below the device gap and from 4 GiB.
 * Returns 0, sets *cr3; -EINVAL when there is more RAM than table pages. */
int tables_build(const struct mem *mem, uint64_t low, uint64_t high, gpa_t *cr3, struct err *err);

/* Maps bytes of the image window, read-only. May be called again with more. */
int tables_map_image(const struct mem *mem, uint64_t bytes, struct err *err);

#endif
