/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a standard machine: kernels that are accepted and not, ACPI tables as a kernel would check them, COM1 as a driver sees it. */
#include "lib/err.h"
#include "vmm/arch/x86_64/acpi.h"
#include "vmm/dev/ports.h"
#include "vmm/kernel.h"
#include "vmm/mem.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define RAM_BYTES  (16u << 20)
#define FILE_BYTES 0x1000u

/* ---- kernels */
struct kernel {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	struct {
		Elf64_Nhdr nh;
		char name[4];
		uint32_t entry;
	} note;
	uint8_t rest[FILE_BYTES];
};

static void make_kernel(struct kernel *k)
{
	memset(k, 0, sizeof(*k));
	memcpy(k->eh.e_ident, ELFMAG, SELFMAG);
	k->eh.e_ident[EI_CLASS] = ELFCLASS64;
	k->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	k->eh.e_type = ET_EXEC;
	k->eh.e_machine = EM_X86_64;
	k->eh.e_phentsize = sizeof(Elf64_Phdr);
	k->eh.e_phnum = 2;
	k->eh.e_phoff = offsetof(struct kernel, ph);
	k->eh.e_entry = 0x100010;
	k->ph[0] = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_paddr = 0x100000,
		.p_filesz = FILE_BYTES,
		.p_memsz = 2 * FILE_BYTES};
	k->ph[1] = (Elf64_Phdr){.p_type = PT_NOTE,
		.p_offset = offsetof(struct kernel, note),
		.p_filesz = sizeof(k->note)};
	k->note.nh = (Elf64_Nhdr){.n_namesz = 4, .n_descsz = 4, .n_type = 18};
	memcpy(k->note.name, "Xen", 4);
	k->note.entry = 0x100020;
}

static int read_kernel(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	if (offset > sizeof(struct kernel) || len > sizeof(struct kernel) - offset)
		return -EIO;
	memcpy(buf, (const uint8_t *)arg + offset, len);
	return 0;
}

static int plan(struct kernel *k, struct kernel_plan *out, struct err *err)
{
	return kernel_plan(read_kernel, k, sizeof(*k), RAM_BYTES, out, err);
}

static void test_kernel(void **state)
{
	static struct kernel k;
	struct kernel_plan p;

	(void)state;
	make_kernel(&k);
	assert_int_equal(plan(&k, &p, NULL), 0);
	assert_int_equal(p.pvh_entry, 0x100020);
	assert_int_equal(p.entry, 0x100010);
	assert_int_equal(p.end, 0x100000 + 2 * FILE_BYTES);
	assert_false(p.libos);
	k.note.nh.n_type = 1; /* another note: then it is Linux's own entry */
	assert_int_equal(plan(&k, &p, NULL), 0);
	assert_int_equal(p.pvh_entry, 0);
}

static void spoil(struct kernel *k, unsigned how)
{
	switch (how) {
	case 0:
		k->eh.e_ident[0] = 'M';
		break;
	case 1:
		k->eh.e_machine = EM_386;
		break;
	case 2:
		k->eh.e_phnum = 0;
		break;
	case 3:
		k->eh.e_phoff = UINT64_MAX - 8;
		break;
	case 4:
		k->ph[0].p_paddr = 0xff000; /* below 1 MiB */
		break;
	case 5:
		k->ph[0].p_memsz = RAM_BYTES;
		break;
	case 6:
		k->ph[0].p_paddr = UINT64_MAX - 100;
		break;
	case 7:
		k->ph[0].p_filesz = sizeof(*k) + 1;
		break;
	case 8:
		k->ph[0].p_filesz = k->ph[0].p_memsz + 1;
		break;
	case 9:
		k->note.entry = 0x200000; /* outside of its segment */
		break;
	case 10:
		k->ph[1].p_offset = UINT64_MAX;
		break;
	case 11:
		k->note.nh.n_descsz = UINT32_MAX; /* then no note, and the entry is wrong, too */
		k->eh.e_entry = 0;
		break;
	default:
		k->eh.e_type = ET_REL;
		break;
	}
}

static void test_bad_kernels(void **state)
{
	static struct kernel k;

	(void)state;
	for (unsigned how = 0; how <= 12; how++) {
		struct kernel_plan p;
		struct err err = {0};

		print_message("%u\n", how);
		make_kernel(&k);
		spoil(&k, how);
		assert_int_equal(plan(&k, &p, &err), -ENOEXEC);
		assert_true(err.msg[0]);
	}
}

/* ---- ACPI */
static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static const uint8_t *table_at(const struct mem *mem, uint64_t gpa, const char *signature)
{
	const uint8_t *t = mem_at_ro(mem, gpa, 36);
	uint32_t bytes;
	uint8_t sum = 0;

	assert_non_null(t);
	assert_memory_equal(t, signature, 4);
	memcpy(&bytes, t + 4, sizeof(bytes));
	assert_true(gpa >= ACPI_TABLES && gpa + bytes <= ACPI_END);
	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + t[i]);
	assert_int_equal(sum, 0);
	return t;
}

static void test_acpi(void **state)
{
	struct acpi_device device[16];
	const uint8_t *rsdp, *xsdt, *fadt;
	uint8_t *ram, sum = 0;
	struct mem mem;

	(void)state;
	mem_init(&mem);
	ram = mem_reserve(&mem, 1u << 20, true, NULL);
	assert_int_equal(mem_add(&mem, 0, 1u << 20, ram, true), 0);
	for (unsigned i = 0; i < 16; i++)
		device[i] = (struct acpi_device){0xc0001000 + i * 0x1000, 5 + i};
	assert_int_equal(acpi_build(&mem, device, 16), 0);
	rsdp = ram + ACPI_RSDP;
	assert_memory_equal(rsdp, "RSD PTR ", 8);
	for (unsigned i = 0; i < 20; i++)
		sum = (uint8_t)(sum + rsdp[i]);
	assert_int_equal(sum, 0);
	xsdt = table_at(&mem, get64(rsdp + 24), "XSDT");
	fadt = table_at(&mem, get64(xsdt + 36), "FACP");
	table_at(&mem, get64(xsdt + 44), "APIC");
	table_at(&mem, get64(fadt + 140), "DSDT");
	mem_fini(&mem);
	mem_init(&mem); /* no RAM where the tables belong */
	assert_int_equal(acpi_build(&mem, device, 1), -EINVAL);
}

/* ---- COM1 */
static char sent[64];
static unsigned nsent, resets;

static void on_byte(void *arg, uint8_t byte)
{
	(void)arg;
	sent[nsent++ % sizeof(sent)] = (char)byte;
}

static void on_reset(void *arg)
{
	(void)arg;
	resets++;
}

static void out(struct ports *p, uint16_t port, uint8_t value)
{
	ports_out(p, port, &value, 1);
}

static uint8_t in(struct ports *p, uint16_t port)
{
	uint8_t value = 0x55;

	ports_in(p, port, &value, 1);
	return value;
}

static void test_ports(void **state)
{
	struct ports p = {
		.com1 = {.irq_fd = eventfd(0, EFD_NONBLOCK), .out = on_byte}, .reset = on_reset};
	eventfd_t count;

	(void)state;
	out(&p, 0x3fb, 0x80); /* divisor */
	out(&p, 0x3f8, 1);
	out(&p, 0x3f9, 0);
	assert_int_equal(in(&p, 0x3f8), 1);
	out(&p, 0x3fb, 3);
	assert_int_equal(nsent, 0);
	out(&p, 0x3f8, 'a');
	assert_int_equal(nsent, 1);
	assert_int_equal(in(&p, 0x3fd), 0x60);
	assert_true(eventfd_read(p.com1.irq_fd, &count) < 0); /* nobody asked for interrupts */
	assert_int_equal(in(&p, 0x3fa) & 15, 1);
	out(&p, 0x3f9, 2);
	assert_int_equal(eventfd_read(p.com1.irq_fd, &count), 0);
	assert_int_equal(in(&p, 0x3fa) & 15, 2);
	assert_int_equal(in(&p, 0x3fa) & 15, 1); /* told once */
	out(&p, 0x3fc, 0x1a);                    /* the loop: a driver's probe */
	assert_int_equal(in(&p, 0x3fe) & 0xf0, 0x90);
	out(&p, 0x3f8, 'x');
	assert_int_equal(nsent, 1);
	out(&p, 0x3ff, 0x5a);
	assert_int_equal(in(&p, 0x3ff), 0x5a);
	assert_int_equal(in(&p, 0x70), 0xff);
	out(&p, 0x64, 0xd1);
	assert_int_equal(resets, 0);
	out(&p, 0x64, 0xfe);
	assert_int_equal(resets, 1);
	close(p.com1.irq_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_bad_kernels), cmocka_unit_test(test_acpi),
		cmocka_unit_test(test_ports)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
