/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/elf_file.h"

#include "lib/err.h"
#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define ALIGN4(n) (((n) + 3ull) & ~3ull)

int elf_read_fd(void *arg, uint64_t offset, void *buf, uint64_t len)
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

int elf_open(const char *path, uint64_t *bytes, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ENOEXEC, "%s: not a regular file", path);
	*bytes = (uint64_t)st.st_size;
	return steal_fd(&fd);
}

int elf_read_header(elf_read_fn *read, void *arg, uint64_t file_bytes, unsigned phdrs_max,
	Elf64_Ehdr *eh, struct err *err)
{
	if (file_bytes < sizeof(*eh) || read(arg, 0, eh, sizeof(*eh)) < 0)
		return err_set(err, ENOEXEC, "shorter than an ELF header");
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, ENOEXEC, "not an ELF file");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
		eh->e_machine != EM_X86_64)
		return err_set(err, ENOEXEC, "not for x86-64");
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == 0 || eh->e_phnum > phdrs_max)
		return err_set(err, ENOEXEC, "%u program headers of %u bytes", eh->e_phnum,
			eh->e_phentsize);
	if (!elf_inside(eh->e_phoff, eh->e_phnum * sizeof(Elf64_Phdr), file_bytes))
		return err_set(err, ENOEXEC, "program headers outside the file");
	return 0;
}

int elf_check_segment(const Elf64_Phdr *ph, uint64_t file_bytes, uint64_t low, uint64_t ram_bytes,
	struct err *err)
{
	if (ph->p_filesz > ph->p_memsz || !elf_inside(ph->p_offset, ph->p_filesz, file_bytes))
		return err_set(err, ENOEXEC, "segment outside the file");
	if (ph->p_paddr < low || !elf_inside(ph->p_paddr, ph->p_memsz, ram_bytes))
		return err_set(err, ENOEXEC, "segment at %#llx outside the guest's memory",
			(unsigned long long)ph->p_paddr);
	return 0;
}

bool elf_each_note(const uint8_t *p, uint64_t n, elf_note_fn *fn, void *arg)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr nh;
		uint64_t desc, end;

		memcpy(&nh, p, sizeof(nh));
		desc = sizeof(nh) + ALIGN4((uint64_t)nh.n_namesz);
		if (!elf_inside(desc, nh.n_descsz, n))
			return false;
		if (fn(arg, &nh, p + sizeof(nh), p + desc))
			return true;
		end = desc + ALIGN4((uint64_t)nh.n_descsz);
		if (end > n)
			return false;
		p += end;
		n -= end;
	}
	return false;
}

bool elf_note_is(const Elf64_Nhdr *nh, const uint8_t *name, const char *wanted)
{
	size_t n = strlen(wanted) + 1;

	return nh->n_namesz == n && memcmp(name, wanted, n) == 0;
}
