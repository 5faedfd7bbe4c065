/* SPDX-License-Identifier: Apache-2.0 */
/* Four levels, walked from the root that was there at entry. Only this file knows the shape of the tables. */
#include "libos/arch/x86_64/pt.h"

#include "libos/arch/x86_64/cpu.h"
#include "libos/mem/page.h"

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | 0x20)
#define PTE_LARGE   0x80ull

uint64_t pt_table_count;
static uint64_t *root;

static unsigned shift_of(int level)
{
	return 12 + 9 * (unsigned)level;
}

static uint64_t *slot_of(uint64_t *table, uint64_t va, int level)
{
	return &table[va >> shift_of(level) & 511];
}

static uint64_t *table_of(uint64_t entry)
{
	return page_ptr(entry & PTE_FRAME);
}

void pt_init(gpa_t cr3)
{
	root = page_ptr(cr3 & PTE_FRAME);
}

uint64_t *pt_find(uint64_t va, uint64_t *next)
{
	uint64_t *table = root;

	for (int level = 3; level > 0; level--) {
		uint64_t entry = *slot_of(table, va, level);

		if (!(entry & PTE_PRESENT)) {
			if (next)
				*next = ((va >> shift_of(level)) + 1) << shift_of(level);
			return NULL;
		}
		table = table_of(entry);
	}
	return slot_of(table, va, 0);
}

uint64_t *pt_make(uint64_t va)
{
	uint64_t *table = root;

	for (int level = 3; level > 0; level--) {
		uint64_t *entry = slot_of(table, va, level);

		if (!(*entry & PTE_PRESENT)) {
			void *fresh = page_alloc();

			if (!fresh)
				return NULL;
			pt_table_count++;
			*entry = page_gpa(fresh) | TABLE_FLAGS;
		}
		table = table_of(*entry);
	}
	return slot_of(table, va, 0);
}

static void free_level(uint64_t *table, int level, uint64_t base, uint64_t lo, uint64_t hi)
{
	uint64_t span = 1ull << shift_of(level), at = base;

	if (lo > base)
		at = base + ((lo - base) >> shift_of(level) << shift_of(level));
	for (; at < hi && at - base < span << 9; at += span) {
		uint64_t *entry = slot_of(table, at, level);

		if (!(*entry & PTE_PRESENT))
			continue;
		if (level > 1)
			free_level(table_of(*entry), level - 1, at, lo, hi);
		if (at >= lo && at + span <= hi) {
			page_put(table_of(*entry));
			pt_table_count--;
			*entry = 0;
		}
	}
}

void pt_free_tables(uint64_t lo, uint64_t hi)
{
	free_level(root, 3, 0, lo, hi);
}

void pt_map_gib(uint64_t va, gpa_t gpa)
{
	uint64_t *entry = pt_make(va) ? slot_of(table_of(*slot_of(root, va, 3)), va, 2) : NULL;
	uint64_t *dir;

	if (!entry)
		return;
	dir = table_of(*entry);
	if (*dir & PTE_PRESENT)
		page_put(table_of(*dir));
	for (unsigned i = 0; i < 512; i++)
		dir[i] = (gpa + i * PT_SPAN) | TABLE_FLAGS | PTE_AD | PTE_LARGE;
}

void pt_flush_done(struct pt_flush *f)
{
	if (f->n > 1)
		cpu_flush_all();
	else if (f->n)
		cpu_invlpg(f->va);
	f->n = 0;
}
