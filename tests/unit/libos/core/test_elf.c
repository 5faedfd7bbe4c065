/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/libos/core/core.h"

#include "libos/exec/elf.c"

static struct {
	struct elf_header h;
	struct elf_phdr p[8];
} f;
static struct elf_plan plan;
static const uint64_t file_bytes = 0x10000;

static int check(void)
{
	return elf_plan(&plan, &f, sizeof(f), file_bytes);
}

/* A good program: headers and text, data with bss. */
static int good(void **state)
{
	memset(&f, 0, sizeof(f));
	f.h = (struct elf_header){.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		.type = ET_EXEC,
		.machine = EM_X86_64,
		.entry = 0x401000,
		.phoff = sizeof(f.h),
		.phentsize = sizeof(struct elf_phdr),
		.phnum = 3};
	f.p[0] = (struct elf_phdr){PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 0x2000, 0x2000, 0x1000};
	f.p[1] =
		(struct elf_phdr){PT_LOAD, PF_R | PF_W, 0x2100, 0x403100, 0, 0x500, 0x9000, 0x1000};
	f.p[2] = (struct elf_phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 0};
	return 0;
}

static void accepts(void **state)
{
	assert_int_equal(check(), 0);
	assert_int_equal(plan.nsegments, 2);
	assert_true(!plan.pie && !plan.exec_stack && plan.entry == 0x401000);
	assert_int_equal(plan.low, 0x400000);
	assert_int_equal(plan.high, 0x40d000);
	assert_int_equal(plan.phdr, 0x400000 + sizeof(f.h));
	assert_int_equal(plan.segment[1].prot, PROT_READ | PROT_WRITE);
	f.h.type = ET_DYN;
	f.p[3] = (struct elf_phdr){PT_INTERP, PF_R, 0x300, 0x400300, 0, 28, 28, 1};
	f.h.phnum = 4;
	assert_int_equal(check(), 0);
	assert_true(plan.pie && plan.interp_off == 0x300 && plan.interp_bytes == 28);
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		good(NULL);                                                                        \
		change;                                                                            \
		assert_int_equal(check(), -ENOEXEC);                                               \
	} while (0)

static void refuses(void **state)
{
	REFUSED(f.h.ident[0] = 0);
	REFUSED(f.h.ident[4] = 1);
	REFUSED(f.h.type = 1);
	REFUSED(f.h.machine = 3);
	REFUSED(f.h.phentsize = 32);
	REFUSED(f.h.phnum = 0);
	REFUSED(f.h.phnum = 9);
	REFUSED(f.h.phoff = UINT64_MAX);
	REFUSED(f.h.phoff = sizeof(f));
	REFUSED(f.h.entry = 0x403100); /* not executable */
	REFUSED(f.h.entry = 0x500000);
	REFUSED(f.p[0].type = 0);
	REFUSED(f.p[0].filesz = 0x2001);             /* more than memory */
	REFUSED(f.p[0].offset = UINT64_MAX - 0xfff); /* wraps */
	REFUSED(f.p[1].offset = 0x10000);
	REFUSED(f.p[1].offset = 0x2000); /* not congruent */
	REFUSED(f.p[1].memsz = UINT64_MAX);
	REFUSED(f.p[1].vaddr = 0x401100); /* overlaps */
	REFUSED(f.p[1].vaddr = 0x300100); /* descends */
	REFUSED(f.p[1].vaddr = 0xffffffff80200100);
	REFUSED(f.p[1].vaddr = 0x7fffffffe100);
	REFUSED(f.p[0].vaddr = 0);
	REFUSED((f.h.phnum = 4, f.p[3] = (struct elf_phdr){PT_INTERP, 4, 0xffff, 0, 0, 28, 28, 1}));
	REFUSED((f.h.phnum = 4, f.p[3] = (struct elf_phdr){PT_INTERP, 4, 0, 0, 0, 257, 257, 1}));
	REFUSED((f.h.phnum = 4, f.p[3] = (struct elf_phdr){PT_INTERP, 4, 0, 0, 0, 1, 1, 1}));
	good(NULL);
	for (size_t n = 0; n < sizeof(f.h) + 3 * sizeof(f.p[0]); n++)
		assert_int_equal(elf_plan(&plan, &f, n, file_bytes), -ENOEXEC);
}

static void too_many_segments(void **state)
{
	static struct {
		struct elf_header h;
		struct elf_phdr p[ELF_SEGMENTS_MAX + 1];
	} many;

	many.h = f.h;
	many.h.phnum = ELF_SEGMENTS_MAX;
	for (unsigned i = 0; i <= ELF_SEGMENTS_MAX; i++)
		many.p[i] = (struct elf_phdr){
			PT_LOAD, PF_R | PF_X, 0, 0x400000 + i * 0x2000ull, 0, 0x1500, 0x1500, 0};
	assert_int_equal(elf_plan(&plan, &many, sizeof(many), file_bytes), 0);
	many.h.phnum++;
	assert_int_equal(elf_plan(&plan, &many, sizeof(many), file_bytes), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(accepts, good),
		cmocka_unit_test_setup(refuses, good),
		cmocka_unit_test_setup(too_many_segments, good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
