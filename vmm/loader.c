/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/loader.h"

#include "abi/layout.h"
#include "lib/err.h"
#include "lib/util.h"
#include "vmm/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES 4096ull

static int plan_segment(struct elf_plan *plan, const Elf64_Phdr *ph, uint64_t file_bytes,
	uint64_t ram_bytes, struct err *err)
{
	const struct elf_segment *last =
		plan->nsegments ? &plan->segment[plan->nsegments - 1] : NULL;
	int r;

	if (ph->p_memsz == 0)
		return 0;
	if (plan->nsegments == ELF_SEGMENTS_MAX)
		return err_set(err, ENOEXEC, "more than %u segments", ELF_SEGMENTS_MAX);
	r = elf_check_segment(ph, file_bytes, UIG_GPA_LIBOS, ram_bytes, err);
	if (r < 0)
		return r;
	if (ph->p_vaddr != UIG_VA_KERNEL + ph->p_paddr || ph->p_paddr + ph->p_memsz > 1024 * MIB)
		return err_set(err, ENOEXEC,
			"segment at %#llx is not linked where abi/layout.h maps it",
			(unsigned long long)ph->p_vaddr);
	if (last && ph->p_paddr < last->gpa + last->mem_bytes)
		return err_set(err, ENOEXEC, "segments overlap or do not ascend");
	plan->segment[plan->nsegments++] = (struct elf_segment){
		.offset = ph->p_offset,
		.file_bytes = ph->p_filesz,
		.gpa = ph->p_paddr,
		.mem_bytes = ph->p_memsz,
		.writable = ph->p_flags & PF_W,
		.executable = ph->p_flags & PF_X,
	};
	plan->end = ph->p_paddr + ph->p_memsz;
	return 0;
}

static bool take_note(void *arg, const Elf64_Nhdr *nh, const uint8_t *name, const uint8_t *desc)
{
	struct uig_libos_note *note = arg;

	if (nh->n_type != UIG_NOTE_TYPE || !elf_note_is(nh, name, UIG_NOTE_NAME) ||
		nh->n_descsz != sizeof(*note))
		return false;
	memcpy(note, desc, sizeof(*note));
	return true;
}

static bool take_build_id(void *arg, const Elf64_Nhdr *nh, const uint8_t *name, const uint8_t *desc)
{
	struct elf_plan *plan = arg;

	if (nh->n_type != NT_GNU_BUILD_ID || !elf_note_is(nh, name, ELF_NOTE_GNU) ||
		nh->n_descsz == 0 || nh->n_descsz > sizeof(plan->build_id))
		return false;
	memcpy(plan->build_id, desc, nh->n_descsz);
	plan->build_id_bytes = nh->n_descsz;
	return true;
}

/* True when it has the libOS' own note; a build id on the way is taken too. */
static bool read_notes(elf_read_fn *read, void *arg, const Elf64_Phdr *ph, uint64_t file_bytes,
	struct elf_plan *plan)
{
	uint8_t notes[ELF_NOTES_BYTES];

	if (ph->p_filesz > sizeof(notes) || !elf_inside(ph->p_offset, ph->p_filesz, file_bytes) ||
		read(arg, ph->p_offset, notes, ph->p_filesz) < 0)
		return false;
	if (plan->build_id_bytes == 0)
		elf_each_note(notes, ph->p_filesz, take_build_id, plan);
	return elf_each_note(notes, ph->p_filesz, take_note, &plan->note);
}

static bool in_segments(const struct elf_plan *plan, uint64_t va, bool executable)
{
	for (unsigned i = 0; i < plan->nsegments; i++) {
		const struct elf_segment *s = &plan->segment[i];
		uint64_t start = UIG_VA_KERNEL + s->gpa;

		if (va >= start && va - start < s->mem_bytes)
			return executable ? s->executable : s->writable;
	}
	return false;
}

static int check_note(const struct elf_plan *plan, struct err *err)
{
	const struct uig_libos_note *note = &plan->note;

	if (note->abi_version != UIG_ABI_VERSION)
		return err_set(err, ENOEXEC,
			"built for version %u of the interface, this monitor has %u",
			note->abi_version, UIG_ABI_VERSION);
	if (!in_segments(plan, note->entry, true) || !in_segments(plan, note->lstar, true))
		return err_set(err, ENOEXEC, "entry points outside its code");
	if (note->stack_top % 16 != 0 || !in_segments(plan, note->stack_top - 16, false))
		return err_set(err, ENOEXEC, "stack outside its data");
	return 0;
}

int elf_plan(elf_read_fn *read, void *arg, uint64_t file_bytes, uint64_t ram_bytes,
	struct elf_plan *out, struct err *err)
{
	struct elf_plan plan = {0};
	bool have_note = false;
	Elf64_Ehdr eh;
	int r = elf_read_header(read, arg, file_bytes, ELF_PHDRS_MAX, &eh, err);

	if (r == 0 && eh.e_type != ET_EXEC)
		r = err_set(err, ENOEXEC, "not a static executable");
	if (r < 0)
		return r;
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;

		if (read(arg, eh.e_phoff + i * sizeof(ph), &ph, sizeof(ph)) < 0)
			return err_set(err, ENOEXEC, "program header %u can not be read", i);
		if (ph.p_type == PT_LOAD) {
			r = plan_segment(&plan, &ph, file_bytes, ram_bytes, err);
			if (r < 0)
				return r;
		} else if (ph.p_type == PT_NOTE && !have_note) {
			have_note = read_notes(read, arg, &ph, file_bytes, &plan);
		}
	}
	if (!have_note)
		return err_set(err, ENOEXEC, "no %s note: not a libOS", UIG_NOTE_NAME);
	r = check_note(&plan, err);
	if (r < 0)
		return r;
	*out = plan;
	return 0;
}

/* Whole pages of read-only segments come from the page cache; heads and tails are read. RAM is zero before. */
static int load_segment(int fd, const struct elf_segment *s, const struct mem *mem, struct err *err)
{
	uint8_t *to = mem_at(mem, s->gpa, s->mem_bytes);
	uint64_t mapped = 0;
	int r;

	if (!to)
		return err_set(err, ENOEXEC, "segment outside the guest's memory");
	if (!s->writable && s->gpa % PAGE_BYTES == 0 && s->offset % PAGE_BYTES == 0)
		mapped = s->file_bytes & ~(PAGE_BYTES - 1);
	if (mapped > 0 &&
		mmap(to, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
			(off_t)s->offset) == MAP_FAILED)
		return err_sys(err, errno, "map a segment");
	r = elf_read_fd(&fd, s->offset + mapped, to + mapped, s->file_bytes - mapped);
	return r < 0 ? err_sys(err, -r, "read a segment") : 0;
}

int libos_plan(const char *path, uint64_t ram_bytes, struct elf_plan *plan, struct err *err)
{
	uint64_t bytes = 0;
	_cleanup_close_ int fd = elf_open(path, &bytes, err);
	int r;

	if (fd < 0)
		return fd;
	r = elf_plan(elf_read_fd, &fd, bytes, ram_bytes, plan, err);
	return r < 0 ? err_prefix(err, "%s", path) : steal_fd(&fd);
}

int libos_load(const char *path, const struct mem *mem, uint64_t ram_bytes, struct elf_plan *out,
	struct err *err)
{
	struct elf_plan plan;
	_cleanup_close_ int fd = libos_plan(path, ram_bytes, &plan, err);
	int r;

	if (fd < 0)
		return fd;
	for (unsigned i = 0; i < plan.nsegments; i++) {
		r = load_segment(fd, &plan.segment[i], mem, err);
		if (r < 0)
			return err_prefix(err, "%s", path);
	}
	*out = plan;
	return 0;
}
