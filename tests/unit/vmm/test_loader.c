/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile headers: every field of a small correct file is bent in turn, and the reason must be told. */
#include "abi/layout.h"
#include "lib/err.h"
#include "vmm/loader.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RAM_BYTES (64ull << 20)
#define NOTE_AT   0x200u
#define TEXT_AT   0x1000u
#define FILE_SIZE 0x3000u

struct file {
	union {
		uint8_t bytes[FILE_SIZE];
		struct {
			Elf64_Ehdr eh;
			Elf64_Phdr ph[3]; /* text, data, note */
		};
	};
	uint64_t size;
};

struct note {
	Elf64_Nhdr nh;
	char name[12];
	struct uig_libos_note payload;
};

static struct note *note_of(struct file *f)
{
	return (struct note *)(void *)(f->bytes + NOTE_AT);
}

static void make(struct file *f)
{
	memset(f, 0, sizeof(*f));
	f->size = FILE_SIZE;
	memcpy(f->eh.e_ident, ELFMAG, SELFMAG);
	f->eh.e_ident[EI_CLASS] = ELFCLASS64;
	f->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	f->eh.e_type = ET_EXEC;
	f->eh.e_machine = EM_X86_64;
	f->eh.e_phentsize = sizeof(Elf64_Phdr);
	f->eh.e_phnum = 3;
	f->eh.e_phoff = sizeof(Elf64_Ehdr);
	f->ph[0] = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = TEXT_AT,
		.p_paddr = UIG_GPA_LIBOS,
		.p_vaddr = UIG_VA_KERNEL + UIG_GPA_LIBOS,
		.p_filesz = 0x1000,
		.p_memsz = 0x1000};
	f->ph[1] = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = 0x2000,
		.p_paddr = UIG_GPA_LIBOS + 0x1000,
		.p_vaddr = UIG_VA_KERNEL + UIG_GPA_LIBOS + 0x1000,
		.p_filesz = 0x800,
		.p_memsz = 0x4000};
	f->ph[2] = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = sizeof(struct note)};
	*note_of(f) = (struct note){
		.nh = {.n_namesz = 9,
			.n_descsz = sizeof(struct uig_libos_note),
			.n_type = UIG_NOTE_TYPE},
		.name = UIG_NOTE_NAME,
		.payload = {.abi_version = UIG_ABI_VERSION,
			.entry = UIG_VA_KERNEL + UIG_GPA_LIBOS + 0x10,
			.stack_top = UIG_VA_KERNEL + UIG_GPA_LIBOS + 0x5000,
			.lstar = UIG_VA_KERNEL + UIG_GPA_LIBOS + 0x20},
	};
}

static int read_file(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	struct file *f = arg;

	if (offset > f->size || len > f->size - offset)
		return -EIO;
	memcpy(buf, f->bytes + offset, len);
	return 0;
}

static void test_good(void **state)
{
	struct elf_plan plan;
	struct file f;

	(void)state;
	make(&f);
	assert_int_equal(elf_plan(read_file, &f, f.size, RAM_BYTES, &plan, NULL), 0);
	assert_int_equal(plan.nsegments, 2);
	assert_int_equal(plan.end, UIG_GPA_LIBOS + 0x5000);
	assert_int_equal(plan.note.lstar, UIG_VA_KERNEL + UIG_GPA_LIBOS + 0x20);
	assert_true(plan.segment[0].executable && !plan.segment[0].writable);
}

enum bend {
	SHORT,
	MAGIC,
	CLASS,
	TYPE,
	MACHINE,
	PHNUM_0,
	PHNUM_MANY,
	PHENTSIZE,
	PHOFF_FAR,
	PHOFF_WRAP,
	FILESZ_OVER_MEMSZ,
	OFFSET_FAR,
	OFFSET_WRAP,
	PADDR_LOW,
	PADDR_HIGH,
	PADDR_WRAP,
	MEMSZ_HUGE,
	VADDR_WRONG,
	OVERLAP,
	DESCENDING,
	NO_NOTE,
	NOTE_FAR,
	NOTE_NAME,
	NOTE_NAMESZ,
	NOTE_DESCSZ,
	NOTE_HUGE,
	ABI,
	ENTRY_OUT,
	ENTRY_DATA,
	LSTAR_OUT,
	STACK_ODD,
	STACK_TEXT,
	STACK_ZERO,
	BENDS,
};

static void bend(struct file *f, enum bend how)
{
	struct note *note = note_of(f);

	switch (how) {
	case SHORT:
		f->size = 20;
		break;
	case MAGIC:
		f->bytes[0] = 0;
		break;
	case CLASS:
		f->eh.e_ident[EI_CLASS] = ELFCLASS32;
		break;
	case TYPE:
		f->eh.e_type = ET_DYN;
		break;
	case MACHINE:
		f->eh.e_machine = EM_AARCH64;
		break;
	case PHNUM_0:
		f->eh.e_phnum = 0;
		break;
	case PHNUM_MANY:
		f->eh.e_phnum = 60000;
		break;
	case PHENTSIZE:
		f->eh.e_phentsize = 8;
		break;
	case PHOFF_FAR:
		f->eh.e_phoff = FILE_SIZE - 8;
		break;
	case PHOFF_WRAP:
		f->eh.e_phoff = UINT64_MAX - 8;
		break;
	case FILESZ_OVER_MEMSZ:
		f->ph[0].p_filesz = 0x1001;
		break;
	case OFFSET_FAR:
		f->ph[0].p_offset = FILE_SIZE;
		break;
	case OFFSET_WRAP:
		f->ph[0].p_offset = UINT64_MAX;
		break;
	case PADDR_LOW:
		f->ph[0].p_paddr = 0x9000;
		break;
	case PADDR_HIGH:
		f->ph[1].p_paddr = RAM_BYTES - 8;
		break;
	case PADDR_WRAP:
		f->ph[1].p_paddr = UINT64_MAX;
		break;
	case MEMSZ_HUGE:
		f->ph[1].p_memsz = UINT64_MAX;
		break;
	case VADDR_WRONG:
		f->ph[0].p_vaddr += 0x1000;
		break;
	case OVERLAP:
		f->ph[0].p_memsz = 0x1001;
		break;
	case DESCENDING:
		f->ph[0].p_paddr += 0x8000;
		f->ph[0].p_vaddr += 0x8000;
		break;
	case NO_NOTE:
		f->ph[2].p_type = PT_NULL;
		break;
	case NOTE_FAR:
		f->ph[2].p_offset = UINT64_MAX - 4;
		break;
	case NOTE_NAME:
		note->name[0] = 'V';
		break;
	case NOTE_NAMESZ:
		note->nh.n_namesz = UINT32_MAX;
		break;
	case NOTE_DESCSZ:
		note->nh.n_descsz = UINT32_MAX;
		break;
	case NOTE_HUGE:
		f->ph[2].p_filesz = FILE_SIZE - NOTE_AT;
		break;
	case ABI:
		note->payload.abi_version++;
		break;
	case ENTRY_OUT:
		note->payload.entry = UIG_VA_KERNEL;
		break;
	case ENTRY_DATA:
		note->payload.entry += 0x1000;
		break;
	case LSTAR_OUT:
		note->payload.lstar = UINT64_MAX;
		break;
	case STACK_ODD:
		note->payload.stack_top -= 8;
		break;
	case STACK_TEXT:
		note->payload.stack_top = UIG_VA_KERNEL + UIG_GPA_LIBOS + 0x100;
		break;
	case STACK_ZERO:
		note->payload.stack_top = 0;
		break;
	case BENDS:
		break;
	}
}

static void test_bent(void **state)
{
	(void)state;
	for (enum bend how = 0; how < BENDS; how++) {
		struct elf_plan plan = {.nsegments = 77};
		struct err err = {0};
		struct file f;

		make(&f);
		bend(&f, how);
		assert_int_equal(elf_plan(read_file, &f, f.size, RAM_BYTES, &plan, &err), -ENOEXEC);
		print_message("%d: %s\n", how, err.msg);
		assert_true(err.msg[0] != '\0');
		assert_int_equal(plan.nsegments, 77); /* untouched */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_bent)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
