/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/kernel.h"

#include "lib/err.h"
#include "lib/util.h"
#include "vmm/mem.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PVH_NAME  "Xen"
#define PVH_TYPE  18u /* XEN_ELFNOTE_PHYS32_ENTRY */
#define PHDRS_MAX 32u
#define ALIGN4(n) (((n) + 3ull) & ~3ull)

static bool inside(uint64_t offset, uint64_t len, uint64_t limit)
{
	return offset <= limit && len <= limit - offset;
}

static int check_ehdr(const Elf64_Ehdr *eh, uint64_t file_bytes, struct err *err)
{
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, ENOEXEC, "not an ELF file (a bzImage has to be unpacked)");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
		eh->e_machine != EM_X86_64 || (eh->e_type != ET_EXEC && eh->e_type != ET_DYN))
		return err_set(err, ENOEXEC, "not an x86-64 kernel");
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == 0 || eh->e_phnum > PHDRS_MAX)
		return err_set(err, ENOEXEC, "%u program headers of %u bytes", eh->e_phnum,
			eh->e_phentsize);
	if (!inside(eh->e_phoff, eh->e_phnum * sizeof(Elf64_Phdr), file_bytes))
		return err_set(err, ENOEXEC, "program headers outside the file");
	return 0;
}

static int plan_segment(struct kernel_plan *plan, const Elf64_Phdr *ph, uint64_t file_bytes,
	uint64_t ram_bytes, struct err *err)
{
	if (ph->p_memsz == 0)
		return 0;
	if (plan->nsegments == KERNEL_SEGMENTS_MAX)
		return err_set(err, ENOEXEC, "more than %u segments", KERNEL_SEGMENTS_MAX);
	if (ph->p_filesz > ph->p_memsz || !inside(ph->p_offset, ph->p_filesz, file_bytes))
		return err_set(err, ENOEXEC, "segment outside the file");
	if (ph->p_paddr < KERNEL_LOW || !inside(ph->p_paddr, ph->p_memsz, ram_bytes))
		return err_set(err, ENOEXEC, "segment at %#llx outside the guest's memory",
			(unsigned long long)ph->p_paddr);
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

static bool is_name(const uint8_t *p, const Elf64_Nhdr *nh, const char *name)
{
	size_t n = strlen(name) + 1;

	return nh->n_namesz == n && memcmp(p, name, n) == 0;
}

static void take_note(
	struct kernel_plan *plan, const Elf64_Nhdr *nh, const uint8_t *name, const uint8_t *desc)
{
	uint32_t entry;

	if (is_name(name, nh, UIG_NOTE_NAME) && nh->n_type == UIG_NOTE_TYPE)
		plan->libos = true;
	if (!is_name(name, nh, PVH_NAME) || nh->n_type != PVH_TYPE || nh->n_descsz < sizeof(entry))
		return;
	memcpy(&entry, desc, sizeof(entry));
	plan->pvh_entry = entry;
}

static void take_notes(struct kernel_plan *plan, const uint8_t *p, uint64_t n)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr nh;
		uint64_t desc, end;

		memcpy(&nh, p, sizeof(nh));
		desc = sizeof(nh) + ALIGN4((uint64_t)nh.n_namesz);
		if (!inside(desc, nh.n_descsz, n))
			return;
		take_note(plan, &nh, p + sizeof(nh), p + desc);
		end = desc + ALIGN4((uint64_t)nh.n_descsz);
		if (end > n)
			return;
		p += end;
		n -= end;
	}
}

static int plan_notes(struct kernel_plan *plan, elf_read_fn *read, void *arg, const Elf64_Phdr *ph,
	uint64_t file_bytes)
{
	uint8_t notes[ELF_NOTES_BYTES];
	uint64_t n = ph->p_filesz < sizeof(notes) ? ph->p_filesz : sizeof(notes);

	if (!inside(ph->p_offset, ph->p_filesz, file_bytes) ||
		read(arg, ph->p_offset, notes, n) < 0)
		return -ENOEXEC;
	take_notes(plan, notes, n);
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
	int r;

	if (file_bytes < sizeof(eh) || read(arg, 0, &eh, sizeof(eh)) < 0)
		return err_set(err, ENOEXEC, "shorter than an ELF header");
	r = check_ehdr(&eh, file_bytes, err);
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

static int read_fd(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	int fd = *(const int *)arg;
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

int kernel_load(const char *path, const struct mem *mem, uint64_t ram_bytes,
	struct kernel_plan *plan, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ENOEXEC, "%s: not a regular file", path);
	r = kernel_plan(read_fd, &fd, (uint64_t)st.st_size, ram_bytes, plan, err);
	if (r < 0)
		return err_prefix(err, "%s", path);
	for (unsigned i = 0; mem && i < plan->nsegments; i++) {
		const struct kernel_segment *s = &plan->segment[i];
		void *to = mem_at(mem, s->gpa, s->mem_bytes);

		r = to ? read_fd(&fd, s->offset, to, s->file_bytes) : -EFAULT;
		if (r < 0)
			return err_sys(err, -r, "%s: load a segment", path);
	}
	return 0;
}
