/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading: segments are mapped from the file (EROFS pages in place), what is behind the file's part of the last page is cleared, the rest
 * is anonymous. The first stack is laid out as execve(2) on Linux leaves it: argc, argv, envp, auxv, and their strings above.
 */
#include "libos/exec/exec.h"

#include "libos/arch/x86_64/cpu.h"
#include "libos/arch/x86_64/regs.h"
#include "libos/exec/args.h"
#include "libos/exec/elf.h"
#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vma.h"
#include "libos/sched/thread_impl.h"
#include "libos/sched/upcall.h"
#include "libos/klib/random.h"
#include "libos/vdso/vdso.h"

#define STACK_SIZE  0x800000ull /* as RLIMIT_STACK */
#define STACK_GAP   0x100000ull
#define PIE_BASE    0x555555554000ull
#define INTERP_MAX  ELF_INTERP_MAX
#define STRINGS_MAX 0x20000ull
#define VDSO_GAP    (STACK_GAP / 2) /* from the top of the stack up */
/* How many bits of a page's number are chosen at random. All that lies at the top moves together by the first: no more page tables than
 * without. Linux has 28, 22 and 13 or so. */
#define TOP_BITS  26u
#define PIE_BITS  28u
#define MMAP_BITS 12u
#define BRK_BITS  12u

enum auxv_type {
	AT_NULL = 0,
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_PLATFORM = 15,
	AT_HWCAP = 16,
	AT_CLKTCK = 17,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_HWCAP2 = 26,
	AT_EXECFN = 31,
	AT_SYSINFO_EHDR = 33,
	AT_MINSIGSTKSZ = 51,
};

struct object {
	struct elf_plan plan;
	uint64_t base;           /* added to its addresses */
	char interp[INTERP_MAX]; /* "": none */
};

/* ---- segments */

static int map_segment(struct file *f, const struct elf_segment *s, uint64_t base)
{
	uint64_t start = page_round_down(base + s->vaddr),
		 file_end = base + s->vaddr + s->file_bytes;
	uint64_t mem_end = base + s->vaddr + s->mem_bytes, mapped = page_round_up(file_end);
	long r;

	if (s->file_bytes) {
		r = vm_map(start, file_end - start, s->prot, MAP_PRIVATE | MAP_FIXED, f,
			page_round_down(s->offset));
		if (r < 0)
			return (int)r;
		/* only a writable segment can have its bss begin in the last page of the file's part */
		if (mem_end > file_end && s->prot & PROT_WRITE &&
			clear_user(file_end,
				mapped - file_end)) /* to its end: ld.so allocates there */
			return -EIO;
	} else {
		mapped = start;
	}
	if (mem_end <= mapped)
		return 0;
	r = vm_map(mapped, mem_end - mapped, s->prot, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, NULL,
		0);
	if (r >= 0)
		vm_populate(mapped, PAGE_BYTES); /* and what comes along with a first fault */
	return r < 0 ? (int)r : 0;
}

static int map_object(struct file *f, struct object *o, uint64_t hint)
{
	const struct elf_plan *plan = &o->plan;
	long at;
	int r;

	if (plan->pie) { /* one reservation, so that the parts keep their distances */
		at = vm_map(hint, plan->high - plan->low, PROT_NONE, MAP_PRIVATE, NULL, 0);
		if (at < 0)
			return (int)at;
		o->base = (uint64_t)at - plan->low;
	}
	for (unsigned i = 0; i < plan->nsegments; i++) {
		r = map_segment(f, &plan->segment[i], o->base);
		if (r)
			return r;
	}
	return 0;
}

static int read_object(struct file *f, struct object *o)
{
	void *header = page_alloc();
	uint64_t bytes;
	long n;
	int r;

	if (!header)
		return -ENOMEM;
	r = file_size(f, &bytes);
	n = r ? r : file_pread(f, header, ELF_HEADER_BYTES, 0);
	r = n < 0 ? (int)n : elf_plan(&o->plan, header, (size_t)n, bytes);
	page_put(header);
	if (r || !o->plan.interp_bytes)
		return r;
	n = file_pread(f, o->interp, o->plan.interp_bytes, o->plan.interp_off);
	if (n != o->plan.interp_bytes || o->interp[n - 1])
		return -ENOEXEC;
	return 0;
}

static int load_object(const char *path, struct object *o, uint64_t hint)
{
	struct file *f;
	int r = vfs_open(path, 0, 0, &f);

	if (r)
		return r;
	r = read_object(f, o);
	if (!r)
		r = map_object(f, o, hint);
	file_put(f);
	return r;
}

/* ---- the first stack */

struct stack {
	uptr_t sp;       /* strings, growing down */
	uint64_t *words; /* argc, argv, envp, auxv as they will lie at the final sp */
	unsigned n;
	int error;
};

static uptr_t push_bytes(struct stack *s, const void *bytes, size_t n)
{
	s->sp -= n;
	if (!s->error)
		s->error = copy_to_user(s->sp, bytes, n);
	return s->sp;
}

static uptr_t push_string(struct stack *s, const char *text)
{
	return push_bytes(s, text, strlen(text) + 1);
}

static void add_word(struct stack *s, uint64_t word)
{
	s->words[s->n++] = word;
}

static void add_aux(struct stack *s, enum auxv_type type, uint64_t value)
{
	add_word(s, type);
	add_word(s, value);
}

static void add_auxv(struct stack *s, const struct object *prog, const struct object *interp,
	const char *path, uptr_t vdso)
{
	uint8_t seed[16];
	uptr_t execfn = push_string(s, path), platform = push_string(s, "x86_64"), random;

	add_aux(s, AT_SYSINFO_EHDR, vdso);
	random_bytes(seed, sizeof(seed));
	random = push_bytes(s, seed, sizeof(seed));
	add_aux(s, AT_HWCAP, cpu.hwcap);
	add_aux(s, AT_PAGESZ, PAGE_BYTES);
	add_aux(s, AT_CLKTCK, 100);
	if (prog->plan.phdr)
		add_aux(s, AT_PHDR, prog->base + prog->plan.phdr);
	add_aux(s, AT_PHENT, 56);
	add_aux(s, AT_PHNUM, prog->plan.phnum);
	add_aux(s, AT_BASE, interp ? interp->base : 0);
	add_aux(s, AT_FLAGS, 0);
	add_aux(s, AT_ENTRY, prog->base + prog->plan.entry);
	add_aux(s, AT_UID, 0);
	add_aux(s, AT_EUID, 0);
	add_aux(s, AT_GID, 0);
	add_aux(s, AT_EGID, 0);
	add_aux(s, AT_SECURE, 0);
	add_aux(s, AT_RANDOM, random);
	add_aux(s, AT_HWCAP2, cpu.fsgsbase ? 2 : 0);
	add_aux(s, AT_MINSIGSTKSZ, sigframe_bytes());
	add_aux(s, AT_EXECFN, execfn);
	add_aux(s, AT_PLATFORM, platform);
	add_aux(s, AT_NULL, 0);
}

static size_t strings_bytes(const struct args *args)
{
	size_t n = 0;

	for (int i = 0; i < args->argc; i++)
		n += strlen(args->argv[i]) + 1;
	for (int i = 0; i < args->envc; i++)
		n += strlen(args->envp[i]) + 1;
	return n;
}

static int build_stack(const struct args *args, const struct object *prog,
	const struct object *interp, uptr_t top, uptr_t *sp)
{
	size_t words = (size_t)args->argc + (size_t)args->envc + 3 + 64;
	struct stack s = {.sp = top - 16, .words = kmalloc(words * sizeof(uint64_t))};

	if (!s.words)
		return -ENOMEM;
	if (strings_bytes(args) > STRINGS_MAX) {
		kfree(s.words);
		return -E2BIG;
	}
	add_word(&s, (uint64_t)args->argc);
	for (int i = 0; i < args->argc; i++)
		add_word(&s, push_string(&s, args->argv[i]));
	add_word(&s, 0);
	for (int i = 0; i < args->envc; i++)
		add_word(&s, push_string(&s, args->envp[i]));
	add_word(&s, 0);
	add_auxv(&s, prog, interp, args->argv[0], top + VDSO_GAP);
	s.sp = (s.sp & ~15ull) - s.n * sizeof(uint64_t);
	s.sp &= ~15ull;
	if (!s.error)
		s.error = copy_to_user(s.sp, s.words, s.n * sizeof(uint64_t));
	kfree(s.words);
	*sp = s.sp;
	return s.error;
}

static uint64_t random_bytes_of_pages(const struct args *args, unsigned bits)
{
	uint64_t n = 0;

	if (!args->no_aslr)
		random_bytes(&n, sizeof(n));
	return (n & ((1ull << bits) - 1)) * PAGE_BYTES;
}

static int map_stack(const struct args *args, uptr_t *top)
{
	long r;

	*top = UIG_USER_TOP - STACK_GAP - random_bytes_of_pages(args, TOP_BITS);
	r = vm_map(*top - STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_FIXED | VMA_STACK, NULL, 0);
	vm_set_top(*top - STACK_SIZE - STACK_GAP - random_bytes_of_pages(args, MMAP_BITS));
	vm_populate(*top - PAGE_BYTES, PAGE_BYTES);
	return r < 0 ? (int)r : 0;
}

/* ---- all of it */

static int load(
	const struct args *args, struct object *prog, struct object *interp, struct regs *regs)
{
	const struct object *first = prog;
	uptr_t top, sp;
	int r = map_stack(args, &top);

	if (!r)
		r = vdso_map(top + VDSO_GAP);
	if (!r)
		r = load_object(
			args->argv[0], prog, PIE_BASE + random_bytes_of_pages(args, PIE_BITS));
	if (r)
		return r;
	vm_set_brk(prog->base + prog->plan.high + random_bytes_of_pages(args, BRK_BITS));
	if (prog->interp[0]) {
		r = load_object(prog->interp, interp, 0);
		if (r) {
			kprintf("%s: cannot load its interpreter %s: error %d", args->argv[0],
				prog->interp, -r);
			return r;
		}
		if (interp->interp[0] || !interp->plan.pie)
			return -ENOEXEC;
		first = interp;
	}
	r = build_stack(args, prog, prog->interp[0] ? interp : NULL, top, &sp);
	if (r)
		return r;
	*regs = (struct regs){
		.rip = first->base + first->plan.entry,
		.rsp = sp,
		.cs = UIG_SEL_CODE3,
		.ss = UIG_SEL_DATA3,
		.rflags = RFLAGS_ONE | upcall_user_flags,
		.orig_rax = (uint64_t)-1,
	};
	return 0;
}

int exec_load(const struct args *args, struct regs *regs)
{
	struct object *objects = kzalloc(2 * sizeof(*objects));
	int r;

	if (!objects)
		return -ENOMEM;
	r = load(args, &objects[0], &objects[1], regs);
	if (r)
		kprintf("%s: cannot be started: error %d", args->argv[0], -r);
	kfree(objects);
	return r;
}
