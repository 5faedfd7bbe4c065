/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of the tables, in the order of their addresses from UIG_GPA_PAGE_TABLES:
 *
 *   0 PML4   1 PDPT of the direct map   2 PDPT of kernel and devices   3 PD kernel   4 PD devices
 *   5-8 PDs of the image   9-11 PDs of low RAM   12-22 PDs of RAM from 4 GiB
 *
 * All leaves are 2 MiB. Every entry has the user bit; accessed and dirty are set ahead, which saves the guest
 * a write to the table (and a shadow-paging monitor a fault) at the first touch of each page. The direct map is
 * not executable: only the kernel map is. SDM volume 3, 4.5 (paging), 3.4.5 and 8.7 (descriptors, TSS).
 */
#include "vmm/arch/x86_64/tables.h"

#include "abi/layout.h"
#include "lib/err.h"
#include "lib/util.h"
#include "vmm/mem.h"

#include <errno.h>

#define PTE_P     0x1ull
#define PTE_RW    0x2ull
#define PTE_US    0x4ull
#define PTE_A     0x20ull
#define PTE_D     0x40ull
#define PTE_PS    0x80ull
#define PTE_NX    (1ull << 63)
#define PTE_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A)
#define PTE_LEAF  (PTE_P | PTE_US | PTE_A | PTE_D | PTE_PS)

#define PAGE_BYTES  4096ull
#define LARGE_BYTES (2 * MIB)
#define GIB_BYTES   (1024 * MIB)
#define ENTRIES     512u
#define IMAGE_PDS   4u
#define LOW_PDS     3u

enum table_page {
	T_PML4,
	T_PDPT_DIRECT,
	T_PDPT_TOP,
	T_PD_KERNEL,
	T_PD_MMIO,
	T_PD_IMAGE,
	T_PD_LOW = T_PD_IMAGE + IMAGE_PDS,
	T_PD_HIGH = T_PD_LOW + LOW_PDS
};
#define T_PAGES ((UIG_GPA_PAGE_TABLES_END - UIG_GPA_PAGE_TABLES) / PAGE_BYTES)
_Static_assert(TABLES_RAM_MAX_MIB == (LOW_PDS + T_PAGES - T_PD_HIGH) * 1024,
	"limit follows from the pages");

static gpa_t page_gpa(unsigned page)
{
	return UIG_GPA_PAGE_TABLES + page * PAGE_BYTES;
}

/* Entry of a table at level shift that translates va. */
static unsigned slot(uint64_t va, unsigned shift)
{
	return (unsigned)(va >> shift) % ENTRIES;
}

static uint64_t *table(const struct mem *mem, unsigned page)
{
	return mem_at(mem, page_gpa(page), PAGE_BYTES);
}

/* Fills consecutive PDs from page on with leaves for [gpa, gpa + bytes), gpa a multiple of 1 GiB. */
static void map_large(
	const struct mem *mem, unsigned page, gpa_t gpa, uint64_t bytes, uint64_t flags)
{
	for (uint64_t off = 0; off < bytes; off += LARGE_BYTES)
		table(mem, page + (unsigned)(off / GIB_BYTES))[slot(off, 21)] =
			(gpa + off) | PTE_LEAF | flags;
}

/* Hangs consecutive PDs into the direct map's PDPT, for [gpa, gpa + bytes). */
static void link_direct(const struct mem *mem, unsigned page, gpa_t gpa, uint64_t bytes)
{
	uint64_t *pdpt = table(mem, T_PDPT_DIRECT);

	for (uint64_t off = 0; off < bytes; off += GIB_BYTES)
		pdpt[slot(UIG_VA_DIRECT + gpa + off, 30)] = page_gpa(page++) | PTE_TABLE;
}

/* Code and data descriptors of long mode: base and limit are ignored, so only access byte and flags count.
 * The accessed bit is set ahead, so that loading a selector never writes. */
#define DESC_CODE(dpl) (0x00af9b000000ffffull | (uint64_t)(dpl) << 45)
#define DESC_DATA(dpl) (0x00cf93000000ffffull | (uint64_t)(dpl) << 45)
#define TSS_BYTES      104u
#define TSS_RSP0       4u   /* offset of RSP0 */
#define TSS_IOMAP      102u /* offset of the I/O map's offset */

static void build_segments(const struct mem *mem)
{
	uint64_t *gdt = mem_at(mem, UIG_GPA_GDT, UIG_GPA_TSS - UIG_GPA_GDT);
	uint8_t *tss = mem_at(mem, UIG_GPA_TSS, TSS_BYTES);
	uint64_t tss_va = UIG_VA_KERNEL + UIG_GPA_TSS;
	uint64_t rsp0 = UIG_VA_KERNEL + UIG_GPA_RING0_STACK_TOP;
	uint16_t no_iomap = TSS_BYTES;

	gdt[UIG_SEL_CODE0 / 8] = DESC_CODE(0);
	gdt[UIG_SEL_DATA0 / 8] = DESC_DATA(0);
	gdt[UIG_SEL_DATA3 / 8] = DESC_DATA(3);
	gdt[UIG_SEL_CODE3 / 8] = DESC_CODE(3);
	/* 64-bit TSS, busy: two slots. */
	gdt[UIG_SEL_TSS / 8] = (TSS_BYTES - 1) | (tss_va & 0xffffff) << 16 | 0x8bull << 40 |
		(tss_va >> 24 & 0xff) << 56;
	gdt[UIG_SEL_TSS / 8 + 1] = tss_va >> 32;
	__builtin_memcpy(tss + TSS_RSP0, &rsp0, sizeof(rsp0));
	__builtin_memcpy(tss + TSS_IOMAP, &no_iomap, sizeof(no_iomap));
}

int tables_build(const struct mem *mem, uint64_t low, uint64_t high, gpa_t *cr3, struct err *err)
{
	uint64_t *pml4, *top;

	if (!mem_at(mem, UIG_GPA_GDT, UIG_GPA_PAGE_TABLES_END - UIG_GPA_GDT))
		return err_set(err, EINVAL, "too little RAM for the page tables");
	if (low > LOW_PDS * GIB_BYTES || high > (T_PAGES - T_PD_HIGH) * GIB_BYTES)
		return err_set(err, EINVAL, "more RAM than the page tables can map (%u MiB)",
			TABLES_RAM_MAX_MIB);
	pml4 = table(mem, T_PML4);
	pml4[slot(UIG_VA_DIRECT, 39)] = page_gpa(T_PDPT_DIRECT) | PTE_TABLE;
	pml4[slot(UIG_VA_KERNEL, 39)] = page_gpa(T_PDPT_TOP) | PTE_TABLE;
	top = table(mem, T_PDPT_TOP);
	top[slot(UIG_VA_KERNEL, 30)] = page_gpa(T_PD_KERNEL) | PTE_TABLE;
	top[slot(UIG_VA_MMIO, 30)] = page_gpa(T_PD_MMIO) | PTE_TABLE;
	map_large(mem, T_PD_KERNEL, 0, low < GIB_BYTES ? low : GIB_BYTES, PTE_RW);
	map_large(mem, T_PD_MMIO, UIG_GPA_MMIO, GIB_BYTES, PTE_RW | PTE_NX);
	map_large(mem, T_PD_LOW, 0, low, PTE_RW | PTE_NX);
	link_direct(mem, T_PD_LOW, 0, low);
	map_large(mem, T_PD_HIGH, UIG_GPA_HIGH_RAM, high, PTE_RW | PTE_NX);
	link_direct(mem, T_PD_HIGH, UIG_GPA_HIGH_RAM, high);
	build_segments(mem);
	*cr3 = page_gpa(T_PML4);
	return 0;
}

int tables_map_image(const struct mem *mem, uint64_t bytes, struct err *err)
{
	if (bytes > UIG_IMAGE_MAX_BYTES)
		return err_set(err, EFBIG, "image window above %llu bytes", UIG_IMAGE_MAX_BYTES);
	map_large(mem, T_PD_IMAGE, UIG_GPA_IMAGE, bytes, PTE_NX);
	link_direct(mem, T_PD_IMAGE, UIG_GPA_IMAGE, bytes);
	return 0;
}
