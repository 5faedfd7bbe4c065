/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF-64 facts of elf(5). Anything that can not be mapped as it says is refused: no guessing. */
#include "libos/exec/elf.h"

#include "abi/layout.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"

#define ET_EXEC      2
#define ET_DYN       3
#define EM_X86_64    62
#define PT_LOAD      1
#define PT_INTERP    3
#define PT_GNU_STACK 0x6474e551
#define PF_X         1u
#define PF_W         2u
#define PF_R         4u
#define LOW_LIMIT    0x10000ull /* as VMA_MIN */

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static int check_header(const struct elf_header *h, size_t n)
{
	static const uint8_t magic[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	if (n < sizeof(*h) || memcmp(h->ident, magic, sizeof(magic)))
		return -ENOEXEC;
	if ((h->type != ET_EXEC && h->type != ET_DYN) || h->machine != EM_X86_64)
		return -ENOEXEC;
	if (h->phentsize != sizeof(struct elf_phdr) || !h->phnum || h->phoff > n ||
		(n - h->phoff) / sizeof(struct elf_phdr) < h->phnum)
		return -ENOEXEC;
	return 0;
}

static int add_segment(struct elf_plan *plan, const struct elf_phdr *p, uint64_t file_bytes)
{
	struct elf_segment *s = &plan->segment[plan->nsegments];
	uint64_t low = page_round_down(p->vaddr);

	if (!p->memsz)
		return 0;
	if (plan->nsegments == ELF_SEGMENTS_MAX || p->filesz > p->memsz)
		return -ENOEXEC;
	if (p->offset > file_bytes || p->filesz > file_bytes - p->offset)
		return -ENOEXEC;
	if (p->vaddr >= UIG_USER_TOP || p->memsz > UIG_USER_TOP - p->vaddr)
		return -ENOEXEC;
	if ((p->vaddr ^ p->offset) & PAGE_MASK && p->filesz)
		return -ENOEXEC;
	if (plan->nsegments && low < plan->high) /* ascending, and no page shared by two */
		return -ENOEXEC;
	if (!plan->pie && low < LOW_LIMIT)
		return -ENOEXEC;
	*s = (struct elf_segment){p->vaddr, p->filesz, p->memsz, p->offset, 0};
	s->prot = (p->flags & PF_R ? PROT_READ : 0) | (p->flags & PF_W ? PROT_WRITE : 0) |
		(p->flags & PF_X ? PROT_EXEC : 0);
	if (!plan->nsegments)
		plan->low = low;
	plan->high = page_round_up(p->vaddr + p->memsz);
	plan->nsegments++;
	return 0;
}

static int add_interp(struct elf_plan *plan, const struct elf_phdr *p, uint64_t file_bytes)
{
	if (p->filesz < 2 || p->filesz > ELF_INTERP_MAX || p->offset > file_bytes ||
		p->filesz > file_bytes - p->offset)
		return -ENOEXEC;
	plan->interp_off = p->offset;
	plan->interp_bytes = (uint32_t)p->filesz;
	return 0;
}

static void find_phdr(struct elf_plan *plan, const struct elf_header *h)
{
	for (unsigned i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *s = &plan->segment[i];

		if (h->phoff >= s->offset && h->phoff - s->offset < s->file_bytes)
			plan->phdr = s->vaddr + (h->phoff - s->offset);
	}
}

static bool entry_is_inside(const struct elf_plan *plan)
{
	for (unsigned i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *s = &plan->segment[i];

		if (plan->entry >= s->vaddr && plan->entry - s->vaddr < s->mem_bytes &&
			s->prot & PROT_EXEC)
			return true;
	}
	return false;
}

int elf_plan(struct elf_plan *plan, const void *header, size_t n, uint64_t file_bytes)
{
	struct elf_header h;
	struct elf_phdr p;
	int r = 0;

	memset(plan, 0, sizeof(*plan));
	memset(&h, 0, sizeof(h));
	memcpy(&h, header, n < sizeof(h) ? n : sizeof(h));
	if (check_header(&h, n))
		return -ENOEXEC;
	plan->pie = h.type == ET_DYN;
	plan->entry = h.entry;
	plan->phnum = h.phnum;
	for (unsigned i = 0; i < h.phnum && !r; i++) {
		memcpy(&p, (const char *)header + h.phoff + i * sizeof(p), sizeof(p));
		if (p.type == PT_LOAD)
			r = add_segment(plan, &p, file_bytes);
		else if (p.type == PT_INTERP)
			r = add_interp(plan, &p, file_bytes);
		else if (p.type == PT_GNU_STACK)
			plan->exec_stack = p.flags & PF_X;
	}
	if (r)
		return r;
	find_phdr(plan, &h);
	return plan->nsegments && entry_is_inside(plan) ? 0 : -ENOEXEC;
}
