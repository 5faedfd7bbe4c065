/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/kernel.h"

#include "lib/err.h"
#include "lib/util.h"
#include "vmm/elf_file.h"
#include "vmm/mem.h"

#include <errno.h>
#include <string.h>

#define PVH_NAME  "Xen"
#define PVH_TYPE  18u /* XEN_ELFNOTE_PHYS32_ENTRY */
#define PHDRS_MAX 32u

static int plan_segment(struct kernel_plan *plan, const Elf64_Phdr *ph, uint64_t file_bytes,
	uint64_t ram_bytes, struct err *err)
{
	int r;

	if (ph->p_memsz == 0)
		return 0;
	if (plan->nsegments == KERNEL_SEGMENTS_MAX)
		return err_set(err, ENOEXEC, "more than %u segments", KERNEL_SEGMENTS_MAX);
	r = elf_check_segment(ph, file_bytes, KERNEL_LOW, ram_bytes, err);
	if (r < 0)
		return r;
	plan->segment[plan->nsegments++] = (struct kernel_segment){
		.offset = ph->p_offset,
		.file_bytes = ph->p_filesz,
		.gpa = ph->p_paddr,
		.mem_bytes = ph->p_memsz,
	};
	if (plan->end < ph->p_paddr + ph->p_memsz)
		plan->end = ph->p_paddr + ph->p_memsz;
	return 0;
}

static bool take_note(void *arg, const Elf64_Nhdr *nh, const uint8_t *name, const uint8_t *desc)
{
	struct kernel_plan *plan = arg;
	uint32_t entry;

	if (elf_note_is(nh, name, UIG_NOTE_NAME) && nh->n_type == UIG_NOTE_TYPE)
		plan->libos = true;
	if (elf_note_is(nh, name, PVH_NAME) && nh->n_type == PVH_TYPE &&
		nh->n_descsz >= sizeof(entry)) {
		memcpy(&entry, desc, sizeof(entry));
		plan->pvh_entry = entry;
	}
	return false;
}

static int plan_notes(struct kernel_plan *plan, elf_read_fn *read, void *arg, const Elf64_Phdr *ph,
	uint64_t file_bytes)
{
	uint8_t notes[ELF_NOTES_BYTES];
	uint64_t n = ph->p_filesz < sizeof(notes) ? ph->p_filesz : sizeof(notes);

	if (!elf_inside(ph->p_offset, ph->p_filesz, file_bytes) ||
		read(arg, ph->p_offset, notes, n) < 0)
		return -ENOEXEC;
	elf_each_note(notes, n, take_note, plan);
	return 0;
}

static bool in_segments(const struct kernel_plan *plan, gpa_t gpa)
{
	for (unsigned i = 0; i < plan->nsegments; i++) {
		if (gpa >= plan->segment[i].gpa &&
			gpa - plan->segment[i].gpa < plan->segment[i].mem_bytes)
			return true;
	}
	return false;
}

int kernel_plan(elf_read_fn *read, void *arg, uint64_t file_bytes, uint64_t ram_bytes,
	struct kernel_plan *out, struct err *err)
{
	struct kernel_plan plan = {0};
	Elf64_Ehdr eh;
	int r = elf_read_header(read, arg, file_bytes, PHDRS_MAX, &eh, err);

	if (r == 0 && eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		r = err_set(err, ENOEXEC, "not a kernel (a bzImage has to be unpacked)");
	for (unsigned i = 0; r == 0 && i < eh.e_phnum; i++) {
		Elf64_Phdr ph;

		if (read(arg, eh.e_phoff + i * sizeof(ph), &ph, sizeof(ph)) < 0)
			return err_set(err, ENOEXEC, "program header %u can not be read", i);
		if (ph.p_type == PT_LOAD)
			r = plan_segment(&plan, &ph, file_bytes, ram_bytes, err);
		else if (ph.p_type == PT_NOTE && plan_notes(&plan, read, arg, &ph, file_bytes) < 0)
			return err_set(err, ENOEXEC, "notes outside the file");
	}
	if (r < 0)
		return r;
	plan.entry = eh.e_entry;
	if (plan.nsegments == 0)
		return err_set(err, ENOEXEC, "no segments");
	if (plan.pvh_entry ? !in_segments(&plan, plan.pvh_entry)
			   : !plan.libos && !in_segments(&plan, plan.entry))
		return err_set(err, ENOEXEC, "entry point outside its segments");
	*out = plan;
	return 0;
}

int kernel_load(const char *path, const struct mem *mem, uint64_t ram_bytes,
	struct kernel_plan *plan, struct err *err)
{
	uint64_t bytes = 0;
	_cleanup_close_ int fd = elf_open(path, &bytes, err);
	int r;

	if (fd < 0)
		return fd;
	r = kernel_plan(elf_read_fd, &fd, bytes, ram_bytes, plan, err);
	if (r < 0)
		return err_prefix(err, "%s", path);
	for (unsigned i = 0; mem && i < plan->nsegments; i++) {
		const struct kernel_segment *s = &plan->segment[i];
		void *to = mem_at(mem, s->gpa, s->mem_bytes);

		r = to ? elf_read_fd(&fd, s->offset, to, s->file_bytes) : -EFAULT;
		if (r < 0)
			return err_sys(err, -r, "%s: load a segment", path);
	}
	return 0;
}
