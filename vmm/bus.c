/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/bus.h"

#include "vmm/stat.h"

#include <errno.h>
#include <string.h>

int bus_add(struct bus *bus, const struct bus_range *range)
{
	for (unsigned i = 0; i < bus->n; i++) {
		const struct bus_range *r = &bus->range[i];

		if (range->base < r->base + r->bytes && r->base < range->base + range->bytes)
			return -EINVAL;
	}
	if (bus->n == BUS_RANGES_MAX)
		return -ENOSPC;
	bus->range[bus->n++] = *range;
	return 0;
}

static const struct bus_range *find(struct bus *bus, gpa_t gpa, unsigned len)
{
	for (unsigned i = 0; i < bus->n; i++) {
		const struct bus_range *r = &bus->range[i];

		if (gpa >= r->base && gpa - r->base < r->bytes && len <= r->bytes - (gpa - r->base))
			return r;
	}
	stat_inc(&bus->unknown);
	return NULL;
}

void bus_read(struct bus *bus, gpa_t gpa, void *data, unsigned len)
{
	const struct bus_range *r = find(bus, gpa, len);

	memset(data, 0, len);
	if (r)
		r->read(r->dev, gpa - r->base, data, len);
}

void bus_write(struct bus *bus, gpa_t gpa, const void *data, unsigned len)
{
	const struct bus_range *r = find(bus, gpa, len);

	if (r)
		r->write(r->dev, gpa - r->base, data, len);
}
