/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which places were changed, and their stubs. Stubs lie in arenas, pages of the program within reach of its jumps; the first slot of an arena
 * holds the address of the libOS's entry. A place is known from its change until patch_forget(); its page can not be written
 * meanwhile, so its bytes are ours as long as it is known. There is one vCPU and the libOS is not preempted: no other thread sees a
 * half-written place, and one that stopped between two instructions of it finds the meaning of its address unchanged.
 */
#include "libos/arch/x86_64/patch.h"

#include "libos/arch/x86_64/patch_code.h"
#include "libos/arch/x86_64/regs.h"
#include "libos/klib/list.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vm_impl.h"
#include "libos/sched/upcall.h"
#include "libos/sys/dispatch.h"

#define SLOTS      (PAGE_BYTES / PATCH_STUB_BYTES)
#define REACH      0x40000000ull /* how far below the code an arena may be */
#define COUNTERS   256u
#define NEVER      UINT32_MAX
#define ARENAS_MAX 64u

struct arena {
	struct list link;
	uptr_t start;
	uint8_t *code; /* its frame */
	unsigned used;
	struct patch_site site[SLOTS]; /* of slot n; 0 is the entry's word */
};

extern const char patched_entry[];

uint64_t patch_generation;
static struct list arenas = LIST_INIT(arenas);
static unsigned narenas;
static unsigned threshold;
static uptr_t low = UINT64_MAX, high; /* all places and arenas lie in [low, high) */

static struct counter {
	uptr_t at;
	uint32_t count;
} counters[COUNTERS];

void patch_init(unsigned after)
{
	/* Where the program runs with interrupts on, one that came right behind the jump to the entry would be lost. */
	threshold = upcall_user_flags ? 0 : after;
}

static void widen(uptr_t start, uptr_t end)
{
	if (start < low)
		low = start;
	if (end > high)
		high = end;
}

/* ---- arenas */

static uptr_t slot_address(const struct arena *a, unsigned slot)
{
	return a->start + slot * PATCH_STUB_BYTES;
}

static struct arena *arena_new(uptr_t below)
{
	struct arena *a = narenas < ARENAS_MAX ? kzalloc(sizeof(*a)) : NULL;
	uint64_t entry = (uint64_t)patched_entry, *pte;
	uptr_t at;

	if (!a)
		return NULL;
	at = vma_find_hole(&vm.tree, PAGE_BYTES, below);
	if (!at || below - at > REACH ||
		vm_map(at, PAGE_BYTES, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_POPULATE | VMA_STUBS, NULL, 0) < 0)
		goto out_free;
	pte = pt_find(at, NULL);
	if (!pte || !(*pte & PTE_PRESENT)) {
		vm_unmap(at, PAGE_BYTES);
		goto out_free;
	}
	a->start = at;
	a->code = page_ptr(*pte & PTE_FRAME);
	memset(a->code, 0x06, PAGE_BYTES);
	memcpy(a->code, &entry, sizeof(entry));
	list_add_tail(&arenas, &a->link);
	narenas++;
	widen(at, at + PAGE_BYTES);
	return a;

out_free:
	kfree(a);
	return NULL;
}

static unsigned free_slot(const struct arena *a)
{
	for (unsigned i = 1; i < SLOTS; i++) {
		if (a->site[i].kind == PATCH_NONE)
			return i;
	}
	return 0;
}

static struct arena *arena_for(const struct patch_site *site, uptr_t below)
{
	list_for_each (a, &arenas, struct arena, link) {
		if (a->used < SLOTS - 1 && patch_reaches(site, a->start))
			return a;
	}
	return arena_new(below);
}

/* ---- places */

/* The private copy of the page at addr, to be changed in place; NULL: it is not of the right kind, or there is no memory. */
static uint8_t *own_page(const struct vma **vma, uptr_t addr)
{
	const struct vma *v = vma_find(&vm.tree, addr);

	if (!v || v->start > addr || !v->file || v->flags & MAP_SHARED ||
		v->prot != (PROT_READ | PROT_EXEC))
		return NULL;
	*vma = v;
	return vm_own_page(v, addr);
}

static const uint8_t *peek_page(uptr_t addr)
{
	const uint64_t *pte = pt_find(addr, NULL);

	return pte && *pte & PTE_PRESENT ? page_ptr(*pte & PTE_FRAME) : NULL;
}

static bool patch(uptr_t at, uint64_t rax)
{
	const uint8_t *before = peek_page(at);
	const struct vma *v;
	struct patch_site site;
	struct arena *a;
	uint8_t *page;
	unsigned slot;

	if (!before || patch_recognize(&site, before, at, rax) == PATCH_NONE)
		return false;
	page = own_page(&v, at);
	a = page ? arena_for(&site, v->start) : NULL;
	if (!a)
		return false;
	slot = free_slot(a);
	a->site[slot] = site;
	a->used++;
	patch_encode_stub(
		a->code + slot * PATCH_STUB_BYTES, &site, slot_address(a, slot), a->start);
	patch_encode_site(page + site.start % PAGE_BYTES, &site, slot_address(a, slot));
	widen(site.start, site.start + patch_site_bytes(site.kind));
	return true;
}

bool patch_count(const struct regs *regs)
{
	uptr_t at = regs->rip - 2;
	struct counter *c = &counters[(at >> 1) * 0x9e3779b97f4a7c15ull >> 56];

	if (!threshold)
		return false;
	if (c->at != at) {
		c->at = at;
		c->count = 0;
	}
	if (c->count == NEVER || ++c->count < threshold)
		return false;
	c->count = NEVER;
	if (!patch(at, regs->orig_rax))
		return false;
	c->at = 0;
	return true;
}

static void restore(struct arena *a, unsigned slot)
{
	struct patch_site *site = &a->site[slot];
	const uint64_t *pte = pt_find(site->start, NULL);

	if (pte && *pte & PTE_OWN)
		memcpy((uint8_t *)page_ptr(*pte & PTE_FRAME) + site->start % PAGE_BYTES, site->old,
			patch_site_bytes(site->kind));
	memset(a->code + slot * PATCH_STUB_BYTES, 0x06, PATCH_STUB_BYTES);
	site->kind = PATCH_NONE;
	a->used--;
	patch_generation++;
}

void patch_forget(uptr_t start, uptr_t end)
{
	if (start >= high || end <= low)
		return;
	list_for_each_safe (a, &arenas, struct arena, link) {
		bool gone = start < a->start + PAGE_BYTES && end > a->start;

		for (unsigned i = 1; i < SLOTS && a->used; i++) {
			const struct patch_site *s = &a->site[i];

			if (s->kind != PATCH_NONE &&
				(gone ||
					(start < s->start + patch_site_bytes(s->kind) &&
						end > s->start)))
				restore(a, i);
		}
		if (gone) {
			list_del(&a->link);
			narenas--;
			kfree(a);
		}
	}
}

/* ---- addresses */

uint64_t patch_true_rip(uint64_t rip)
{
	if (rip < low || rip >= high)
		return rip;
	list_for_each (a, &arenas, struct arena, link) {
		unsigned slot = (unsigned)((rip - a->start) / PATCH_STUB_BYTES);

		if (rip >= a->start && rip < a->start + PAGE_BYTES &&
			a->site[slot].kind != PATCH_NONE)
			return patch_true_address(
				&a->site[slot], (unsigned)(rip - slot_address(a, slot)));
	}
	return rip;
}

static void emulate(struct regs *regs)
{
	regs->rip += 2;
	regs->rcx = regs->error = regs->rip;
	regs->r11 = regs->rflags;
	regs->orig_rax = regs->rax;
	regs->vector = VECTOR_SYSCALL;
	syscall_entry(regs);
}

bool patch_invalid_opcode(struct regs *regs)
{
	if (regs->rip < low || regs->rip >= high)
		return false;
	list_for_each (a, &arenas, struct arena, link) {
		for (unsigned i = 1; i < SLOTS && a->used; i++) {
			const struct patch_site *s = &a->site[i];

			if (s->kind == PATCH_MOV && regs->rip == s->start + 5) {
				emulate(regs);
				return true;
			}
			if (s->kind == PATCH_CMP && regs->rip == s->start + 2) {
				regs->rip = patch_continue(s, slot_address(a, i));
				return true;
			}
		}
	}
	return false;
}
