/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/arch/x86_64/acpi.h"

#include "vmm/arch/x86_64/boot_std.h"
#include "vmm/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define HEADER_BYTES 36u
#define FADT_BYTES   276u

/* Bytes at a place in guest memory; `full` instead of an overrun. */
struct out {
	uint8_t *at;
	unsigned n, max;
	bool full;
};

static void put(struct out *o, const void *data, unsigned n)
{
	if (o->full || n > o->max - o->n) {
		o->full = true;
		return;
	}
	memcpy(o->at + o->n, data, n);
	o->n += n;
}

static void put8(struct out *o, uint8_t v)
{
	put(o, &v, sizeof(v));
}

static void put16(struct out *o, uint16_t v)
{
	put(o, &v, sizeof(v));
}

static void put32(struct out *o, uint32_t v)
{
	put(o, &v, sizeof(v));
}

static void put64(struct out *o, uint64_t v)
{
	put(o, &v, sizeof(v));
}

static uint8_t checksum(const uint8_t *p, unsigned n)
{
	uint8_t sum = 0;

	while (n-- > 0)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

/* ---- AML: a package is its opcode, its length with the length's own two bytes, and what is in it */
static unsigned open_package(struct out *o)
{
	put16(o, 0);
	return o->n;
}

static void close_package(struct out *o, unsigned begin)
{
	unsigned n = o->n - begin + 2;

	if (o->full)
		return;
	o->at[begin - 2] = (uint8_t)(0x40 | (n & 15));
	o->at[begin - 1] = (uint8_t)(n >> 4);
}

static unsigned open_device(struct out *o, const char name[4])
{
	unsigned begin;

	put(o, "\x5b\x82", 2);
	begin = open_package(o);
	put(o, name, 4);
	return begin;
}

static void put_uid(struct out *o, uint8_t uid)
{
	put(o, "\x08_UID\x0a", 6);
	put8(o, uid);
}

/* _CRS: a buffer with the resources, whose size stands in front once more. */
static void put_resources(struct out *o, const uint8_t *what, uint8_t n, uint32_t gsi)
{
	unsigned begin;

	put(o, "\x08_CRS\x11", 6);
	begin = open_package(o);
	put8(o, 0x0a);
	put8(o, (uint8_t)(n + 11));
	put(o, what, n);
	put(o, "\x89\x06\x00\x03\x01",
		5); /* one interrupt: consumer, edge, active high, exclusive */
	put32(o, gsi);
	put(o, "\x79\x00", 2);
	close_package(o, begin);
}

static void put_virtio(struct out *o, const struct acpi_device *d, unsigned i)
{
	const char name[4] = {'V', 'R', (char)('0' + i / 10), (char)('0' + i % 10)};
	unsigned begin = open_device(o, name);
	uint8_t memory[12] = {0x86, 9, 0, 1};
	uint32_t bytes = 0x1000;

	put(o, "\x08_HID\x0dLNRO0005", 15);
	put_uid(o, (uint8_t)i);
	put(o, "\x08_CCA\x01", 6);
	memcpy(memory + 4, &d->base, 4);
	memcpy(memory + 8, &bytes, 4);
	put_resources(o, memory, sizeof(memory), d->gsi);
	close_package(o, begin);
}

static void put_serial(struct out *o)
{
	static const uint8_t ports[8] = {
		0x47, 1, STD_COM1 & 0xff, STD_COM1 >> 8, STD_COM1 & 0xff, STD_COM1 >> 8, 1, 8};
	unsigned begin = open_device(o, "COM1");

	put(o, "\x08_HID\x0c\x41\xd0\x05\x01", 10); /* PNP0501 */
	put_uid(o, 0);
	put_resources(o, ports, sizeof(ports), STD_COM1_GSI);
	close_package(o, begin);
}

/* ---- tables */
static unsigned open_table(struct out *o, const char *signature, uint8_t revision)
{
	unsigned begin = o->n;

	put(o, signature, 4);
	put32(o, 0); /* length */
	put8(o, revision);
	put8(o, 0); /* checksum */
	put(o, "UIGNITUVMM    \x01\0\0\0UIGN\x01\0\0\0", 26);
	return begin;
}

static uint64_t close_table(struct out *o, unsigned begin)
{
	uint32_t n = o->n - begin;

	if (!o->full) {
		memcpy(o->at + begin + 4, &n, sizeof(n));
		o->at[begin + 9] = checksum(o->at + begin, n);
	}
	return ACPI_TABLES + begin;
}

static uint64_t put_dsdt(struct out *o, const struct acpi_device *device, unsigned n)
{
	unsigned begin = open_table(o, "DSDT", 2), scope;

	put8(o, 0x10);
	scope = open_package(o);
	put(o, "\\_SB_", 5);
	put_serial(o);
	for (unsigned i = 0; i < n; i++)
		put_virtio(o, &device[i], i);
	close_package(o, scope);
	return close_table(o, begin);
}

static uint64_t put_fadt(struct out *o, uint64_t dsdt)
{
	unsigned begin = open_table(o, "FACP", 6);
	uint8_t body[FADT_BYTES - HEADER_BYTES] = {0};
	uint16_t boot_arch = 0x3e; /* 8042; no VGA, MSI, ASPM, CMOS clock */
	uint32_t flags = 1u << 20; /* hardware-reduced */

	memcpy(body + 109 - HEADER_BYTES, &boot_arch, sizeof(boot_arch));
	memcpy(body + 112 - HEADER_BYTES, &flags, sizeof(flags));
	body[131 - HEADER_BYTES] = 5; /* minor version */
	memcpy(body + 140 - HEADER_BYTES, &dsdt, sizeof(dsdt));
	put(o, body, sizeof(body));
	return close_table(o, begin);
}

static uint64_t put_madt(struct out *o)
{
	unsigned begin = open_table(o, "APIC", 6);

	put32(o, STD_LAPIC);
	put32(o, 0);
	put(o, "\x00\x08\x00\x00\x01\0\0\0", 8); /* a processor, enabled */
	put(o, "\x01\x0c\x00\x00", 4);           /* the IOAPIC, from GSI 0 */
	put32(o, STD_IOAPIC);
	put32(o, 0);
	return close_table(o, begin);
}

static void put_rsdp(uint8_t *at, uint64_t xsdt)
{
	struct out o = {.at = at, .max = 36};

	put(&o, "RSD PTR \0UIGNIT\x02\0\0\0\0", 20);
	put32(&o, 36);
	put64(&o, xsdt);
	put32(&o, 0);
	at[8] = checksum(at, 20);
	at[32] = checksum(at, 36);
}

int acpi_build(const struct mem *mem, const struct acpi_device *device, unsigned n)
{
	struct out o = {.at = mem_at(mem, ACPI_TABLES, ACPI_END - ACPI_TABLES),
		.max = ACPI_END - ACPI_TABLES};
	uint8_t *rsdp = mem_at(mem, ACPI_RSDP, 36);
	uint64_t fadt, madt;
	unsigned xsdt;

	if (!o.at || !rsdp)
		return -EINVAL;
	madt = put_madt(&o);
	fadt = put_fadt(&o, put_dsdt(&o, device, n));
	xsdt = open_table(&o, "XSDT", 1);
	put64(&o, fadt);
	put64(&o, madt);
	put_rsdp(rsdp, close_table(&o, xsdt));
	return o.full ? -ENOSPC : 0;
}
