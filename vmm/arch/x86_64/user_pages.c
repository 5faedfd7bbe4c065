/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/arch/x86_64/user_pages.h"

#include "lib/util.h"
#include "vmm/mem.h"
#include "vmm/workset.h"

#include <stdlib.h>
#include <string.h>

#define PTE_P     0x1ull
#define PTE_RW    0x2ull
#define PTE_US    0x4ull
#define PTE_A     0x20ull
#define PTE_D     0x40ull
#define PTE_PS    0x80ull
#define PTE_FRAME 0x000ffffffffff000ull

#define PAGE_BYTES   4096ull
#define ENTRIES      512u
#define USER_ENTRIES 256u /* of the root: the lower half */
#define ROOT_LEVEL   3
#define TABLES_MAX   8192u /* 16 GiB of pages, were they all full */

struct user_tables {
	size_t n, room;
	struct user_table {
		gpa_t gpa;
		uint64_t entry[ENTRIES];
	} * table;
};

struct walk {
	const struct mem *mem;
	unsigned left; /* tables that may still be looked at */
	/* Of each lowest table; va: of its first entry. False: no more. */
	bool (*visit)(struct walk *w, gpa_t gpa, uint64_t *entry, uint64_t va);
	struct user_tables *tables;
	struct workset *set;
};

static uint64_t read_entry(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

static bool walk(struct walk *w, gpa_t gpa, int level, uint64_t va)
{
	uint64_t *entry = mem_at(w->mem, gpa, PAGE_BYTES);

	if (w->left == 0)
		return false;
	w->left--;
	if (!entry)
		return true;
	if (level == 0)
		return w->visit(w, gpa, entry, va);
	for (unsigned i = 0; i < (level == ROOT_LEVEL ? USER_ENTRIES : ENTRIES); i++) {
		uint64_t e = read_entry(&entry[i]);

		if ((e & PTE_P) && (e & PTE_US) && !(e & PTE_PS) &&
			!walk(w, e & PTE_FRAME, level - 1, va | (uint64_t)i << (12 + 9 * level)))
			return false;
	}
	return true;
}

static struct user_table *add_table(struct user_tables *t)
{
	size_t room = t->room ? t->room * 2 : 16;
	struct user_table *more;

	if (t->n < t->room)
		return &t->table[t->n++];
	more = realloc(t->table, room * sizeof(*more));
	if (!more)
		return NULL;
	t->table = more;
	t->room = room;
	return &t->table[t->n++];
}

static bool forget(struct walk *w, gpa_t gpa, uint64_t *entry, uint64_t va)
{
	struct user_table *copy = add_table(w->tables);

	(void)va;
	if (!copy)
		return false;
	copy->gpa = gpa;
	for (unsigned i = 0; i < ENTRIES; i++) {
		copy->entry[i] = read_entry(&entry[i]) & ~(PTE_A | PTE_D);
		if (copy->entry[i] & PTE_P)
			__atomic_store_n(&entry[i], copy->entry[i], __ATOMIC_RELAXED);
	}
	return true;
}

struct user_tables *user_pages_forget(const struct mem *mem, gpa_t cr3)
{
	struct user_tables *tables = calloc(1, sizeof(*tables));
	struct walk w = {.mem = mem, .left = TABLES_MAX, .visit = forget, .tables = tables};

	if (tables)
		walk(&w, cr3 & PTE_FRAME, ROOT_LEVEL, 0);
	return tables;
}

void user_tables_free(struct user_tables *tables)
{
	if (!tables)
		return;
	free(tables->table);
	free(tables);
}

bool user_tables_unchanged(void *arg, const struct mem *mem, gpa_t gpa)
{
	const struct user_tables *t = arg;

	for (size_t i = 0; t && i < t->n; i++) {
		const uint64_t *now;
		unsigned n = 0;

		if (t->table[i].gpa != gpa)
			continue;
		now = mem_at_ro(mem, gpa, PAGE_BYTES);
		while (now && n < ENTRIES &&
			(read_entry(&now[n]) & ~(PTE_A | PTE_D)) == t->table[i].entry[n])
			n++;
		return n == ENTRIES;
	}
	return false;
}

static bool record(struct walk *w, gpa_t gpa, uint64_t *entry, uint64_t va)
{
	(void)gpa;
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t e = read_entry(&entry[i]);

		if ((e & PTE_P) && (e & PTE_US) && (e & PTE_A) &&
			workset_add_user(w->set, va + i * PAGE_BYTES, e & PTE_D) < 0)
			return false;
	}
	return true;
}

void user_pages_record(const struct mem *mem, gpa_t cr3, struct workset *set)
{
	struct walk w = {.mem = mem, .left = TABLES_MAX, .visit = record, .set = set};

	walk(&w, cr3 & PTE_FRAME, ROOT_LEVEL, 0);
}

bool user_page_is_mapped(const struct mem *mem, gpa_t cr3, uint64_t va, bool write)
{
	uint64_t need = PTE_P | PTE_US | (write ? PTE_RW : 0), e = cr3;

	for (int level = ROOT_LEVEL; level >= 0; level--) {
		const uint64_t *table = mem_at_ro(mem, e & PTE_FRAME, PAGE_BYTES);

		if (!table)
			return false;
		e = read_entry(&table[va >> (12 + 9 * level) & (ENTRIES - 1)]);
		if ((e & need) != need || (level > 0 && (e & PTE_PS)))
			return false;
	}
	return write ? mem_at(mem, e & PTE_FRAME, PAGE_BYTES) != NULL
		     : mem_at_ro(mem, e & PTE_FRAME, PAGE_BYTES) != NULL;
}
