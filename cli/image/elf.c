/* SPDX-License-Identifier: Apache-2.0 */
/* Program headers, the dynamic section and its string table of an x86-64 ELF file, read with every bound checked. */
#include "cli/image/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct view {
	const unsigned char *data;
	size_t len;
	const Elf64_Ehdr *header;
};

/* count objects of size bytes at offset, or NULL when they are not in the file. */
static const void *at(const struct view *v, uint64_t offset, uint64_t count, uint64_t size)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || offset > v->len ||
		bytes > v->len - offset)
		return NULL;
	return v->data + offset;
}

static int broken(struct err *err, const char *what)
{
	return err_set(err, ENOEXEC, "broken ELF file: %s", what);
}

static Elf64_Phdr segment(const struct view *v, unsigned int i)
{
	Elf64_Phdr p;

	memcpy(&p, v->data + v->header->e_phoff + i * sizeof(p), sizeof(p));
	return p;
}

/* File offset of a virtual address, or UINT64_MAX. */
static uint64_t offset_of(const struct view *v, uint64_t address)
{
	for (unsigned int i = 0; i < v->header->e_phnum; i++) {
		Elf64_Phdr p = segment(v, i);

		if (p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz)
			return p.p_offset + (address - p.p_vaddr);
	}
	return UINT64_MAX;
}

/* Copies the text at a file offset; it must end within the file and the destination. */
static int copy_text(const struct view *v, uint64_t offset, char *to, size_t size, struct err *err)
{
	const char *s = at(v, offset, 1, 1);
	size_t len = s ? strnlen(s, v->len - offset) : 0;

	if (!s || len == v->len - offset || len >= size)
		return broken(err, "a name is outside of it or too long");
	memcpy(to, s, len + 1);
	return 0;
}

static int check_header(struct view *v, struct err *err)
{
	const Elf64_Ehdr *h = at(v, 0, 1, sizeof(*h));

	if (!h || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0) {
		const char *start = at(v, 0, 2, 1);

		return err_set(err, ENOEXEC, "not an ELF program%s",
			start && !memcmp(start, "#!", 2)
				? " (a script: name its interpreter as the program)"
				: "");
	}
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
		h->e_machine != EM_X86_64 || (h->e_type != ET_EXEC && h->e_type != ET_DYN))
		return err_set(err, ENOEXEC, "not an x86-64 program or library");
	if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum || h->e_phnum > 256 ||
		!at(v, h->e_phoff, h->e_phnum, sizeof(Elf64_Phdr)))
		return broken(err, "program headers");
	v->header = h;
	return 0;
}

static int take_entry(
	const struct view *v, Elf64_Dyn d, uint64_t strings, struct elf_needs *n, struct err *err)
{
	bool is_path = d.d_tag == DT_RUNPATH || (d.d_tag == DT_RPATH && !*n->runpath);

	if (d.d_tag != DT_NEEDED && !is_path)
		return 0;
	if (d.d_un.d_val > v->len)
		return broken(err, "a name is outside of it");
	if (is_path)
		return copy_text(v, strings + d.d_un.d_val, n->runpath, sizeof(n->runpath), err);
	if (n->nneeded == ELF_NEEDED_MAX)
		return broken(err, "too many libraries");
	return copy_text(v, strings + d.d_un.d_val, n->needed[n->nneeded++], ELF_NAME_BYTES, err);
}

static int read_dynamic(const struct view *v, Elf64_Phdr p, struct elf_needs *n, struct err *err)
{
	uint64_t count = p.p_filesz / sizeof(Elf64_Dyn), strings = UINT64_MAX;
	const unsigned char *table = at(v, p.p_offset, count, sizeof(Elf64_Dyn));
	Elf64_Dyn d;
	int rc = 0;

	if (!table)
		return broken(err, "dynamic section");
	for (uint64_t i = 0; i < count; i++) {
		memcpy(&d, table + i * sizeof(d), sizeof(d));
		if (d.d_tag == DT_NULL)
			count = i;
		else if (d.d_tag == DT_STRTAB)
			strings = offset_of(v, d.d_un.d_ptr);
	}
	if (count && (strings == UINT64_MAX || strings > v->len))
		return broken(err, "string table");
	for (uint64_t i = 0; i < count && !rc; i++) {
		memcpy(&d, table + i * sizeof(d), sizeof(d));
		rc = take_entry(v, d, strings, n, err);
	}
	return rc;
}

int elf_needs(const void *data, size_t len, struct elf_needs *needs, struct err *err)
{
	struct view v = {.data = data, .len = len};
	int rc = check_header(&v, err);

	memset(needs, 0, sizeof(*needs));
	for (unsigned int i = 0; !rc && i < v.header->e_phnum; i++) {
		Elf64_Phdr p = segment(&v, i);

		if (p.p_type == PT_INTERP)
			rc = copy_text(&v, p.p_offset, needs->loader, sizeof(needs->loader), err);
		else if (p.p_type == PT_DYNAMIC)
			rc = read_dynamic(&v, p, needs, err);
	}
	return rc;
}

int elf_needs_fd(int fd, struct elf_needs *needs, struct err *err)
{
	struct stat st;
	void *data;
	int rc;

	if (fstat(fd, &st))
		return err_sys(err, errno, "cannot look at it");
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return err_set(err, ENOEXEC, "not a program but %s",
			S_ISREG(st.st_mode) ? "an empty file" : "no file");
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return err_sys(err, errno, "cannot read it");
	rc = elf_needs(data, (size_t)st.st_size, needs, err);
	munmap(data, (size_t)st.st_size);
	return rc;
}
