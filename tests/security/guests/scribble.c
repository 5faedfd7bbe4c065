/* SPDX-License-Identifier: Apache-2.0 */
/* The libOS, the tables of the processor and the pages that monitor and libOS share, overwritten by the program. */
#include "hostile.h"

#include "abi/identity.h"

#include <string.h>
#include <unistd.h>

#define LIBOS_BYTES 0x200000u
#define PAGE        4096u

/* What is broken may only show when it is used. */
static int use(void)
{
	for (int i = 0; i < 1000; i++) {
		getppid();
		usleep(100);
	}
	__asm__ volatile("ud2");
	return 0;
}

static int libos_code(void)
{
	void *code = (void *)(UIG_VA_KERNEL + UIG_GPA_LIBOS);

	__asm__("" : "+r"(code)); /* no compiler knows of an object there, and one says so */
	memset(code, 0xcc, LIBOS_BYTES);
	return use();
}

static int libos_rubbish(void)
{
	volatile uint64_t *word = (volatile uint64_t *)(UIG_VA_KERNEL + UIG_GPA_LIBOS);

	for (int i = 0; i < 100000; i++) {
		word[rubbish() % (LIBOS_BYTES / 8)] = rubbish();
		if (i % 64 == 0)
			getppid();
	}
	return use();
}

static int all_ram(void)
{
	const struct uig_mem_region region = bootinfo()->region[0];

	memset(ram(region.base), 0xff, region.bytes);
	return use();
}

static int page(gpa_t at, int byte)
{
	memset(ram(at), byte, PAGE);
	return use();
}

static int idt(void)
{
	return page(UIG_GPA_IDT, 0xff);
}

static int gdt(void)
{
	return page(UIG_GPA_GDT, 0);
}

static int tables(void)
{
	uint64_t *entry = ram(UIG_GPA_PAGE_TABLES);

	for (gpa_t i = 0; i < (UIG_GPA_PAGE_TABLES_END - UIG_GPA_PAGE_TABLES) / 8; i++)
		entry[i] = rubbish();
	return use();
}

static int root(void)
{
	return page(bootinfo()->cr3, 0);
}

/* The program's own pages, all over guest-physical addresses: RAM, devices, nothing. */
static int wild_pages(void)
{
	uint64_t *pdpt = ram(UIG_GPA_PAGE_TABLES_END - PAGE), *pml4 = ram(bootinfo()->cr3);
	volatile uint64_t *wild = (volatile uint64_t *)0x600000000000ull; /* slot 192 */

	for (unsigned i = 0; i < 512; i++)
		pdpt[i] = (rubbish() & 0x000fffffc0000000ull) | 0x87; /* 1 GiB, user, writable */
	pml4[192] = (UIG_GPA_PAGE_TABLES_END - PAGE) | 7;
	for (unsigned i = 0; i < 512; i++) {
		wild[(uint64_t)i << 27] = rubbish();
		(void)wild[((uint64_t)i << 27) + 1];
	}
	return use();
}

static int identity(void)
{
	memset(ram(UIG_GPA_IDENTITY), 0xff, UIG_IDENTITY_BYTES);
	return use();
}

static int identity_spin(void)
{
	memset(ram(UIG_GPA_IDENTITY), 0xff, UIG_IDENTITY_BYTES);
	write_platform(UIG_REG_MILESTONE, 0);
	spin();
}

/* The monitor is asked to go on at addresses that have nothing, or no code. */
static int upcall(uint64_t entry)
{
	struct uig_identity *id = ram(UIG_GPA_IDENTITY);

	id->upcall.entry = entry;
	id->upcall.tsc = 0;
	write_platform(UIG_REG_MILESTONE, 0);
	spin();
}

static int upcall_nowhere(void)
{
	return upcall(0xffff900000000000ull);
}

static int upcall_device(void)
{
	return upcall(UIG_VA_MMIO + (UIG_GPA_PLATFORM - UIG_GPA_MMIO));
}

/* Asked for again and again: the handler is the loop itself. */
static int upcall_flood(void)
{
	struct uig_identity *id = ram(UIG_GPA_IDENTITY);
	static const uint8_t loop[] = {0xeb, 0xfe};
	uint8_t *code = (uint8_t *)(UIG_VA_KERNEL + UIG_GPA_RINGS_END);

	memcpy(code, loop, sizeof(loop));
	id->upcall.entry = (uint64_t)code;
	id->events = 0xffffffff;
	write_platform(UIG_REG_MILESTONE, 0);
	for (;;)
		__atomic_store_n(&id->upcall.tsc, 0, __ATOMIC_RELAXED);
	return 0;
}

static int boot_page(void)
{
	return page(UIG_GPA_BOOTINFO, 0xff);
}

static int execute_device(void)
{
	((void (*)(void))(UIG_VA_MMIO + (UIG_GPA_PLATFORM - UIG_GPA_MMIO)))();
	return use();
}

static int write_image(void)
{
	memset(ram(UIG_GPA_IMAGE), 0xff, PAGE);
	return use();
}

static int read_behind_image(void)
{
	const volatile uint64_t *word = ram(UIG_GPA_IMAGE);
	uint64_t sum = 0;

	for (uint64_t at = 0; at < bootinfo()->image_bytes + 64 * PAGE; at += PAGE)
		sum += word[at / 8];
	say("sum %d\n", sum != 0);
	return use();
}

const struct attack scribble_attacks[] = {
	{"libos-code", libos_code},
	{"libos-rubbish", libos_rubbish},
	{"all-ram", all_ram},
	{"idt", idt},
	{"gdt", gdt},
	{"tables", tables},
	{"root", root},
	{"wild-pages", wild_pages},
	{"identity", identity},
	{"identity-spin", identity_spin},
	{"upcall-nowhere", upcall_nowhere},
	{"upcall-device", upcall_device},
	{"upcall-flood", upcall_flood},
	{"boot-page", boot_page},
	{"execute-device", execute_device},
	{"write-image", write_image},
	{"read-behind-image", read_behind_image},
	{0},
};
