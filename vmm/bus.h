/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which device answers at which guest-physical address. Ranges are added before the vCPU runs; accesses come
 * from the vCPU thread. An address that nobody owns reads zeros, ignores writes, and is counted.
 */
#ifndef VMM_BUS_H
#define VMM_BUS_H

#include "abi/types.h"

/* offset is within the range, len 1-8 and never beyond its end. */
typedef void bus_read_fn(void *dev, uint64_t offset, void *data, unsigned len);
typedef void bus_write_fn(void *dev, uint64_t offset, const void *data, unsigned len);

#define BUS_RANGES_MAX 20u

struct bus {
	unsigned n;
	struct bus_range {
		gpa_t base;
		uint64_t bytes;
		bus_read_fn *read;
		bus_write_fn *write;
		void *dev;
	} range[BUS_RANGES_MAX];
	uint64_t unknown; /* accesses to nothing; written by the vCPU thread alone */
};

/* 0, -EINVAL when it overlaps, -ENOSPC. */
int bus_add(struct bus *bus, const struct bus_range *range);

void bus_read(struct bus *bus, gpa_t gpa, void *data, unsigned len);
void bus_write(struct bus *bus, gpa_t gpa, const void *data, unsigned len);

#endif
