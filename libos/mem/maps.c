/* SPDX-License-Identifier: Apache-2.0 */
/* What is mapped, for others: area by area, and as /proc/self/maps in the kernel's format. */
#include "libos/fs/file.h"
#include "libos/fs/vfs.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/mem/vm_impl.h"

#define NAME_COLUMN 73

bool vm_area_from(uptr_t addr, struct vm_area *area)
{
	const struct vma *v = vma_find(&vm.tree, addr);

	if (v)
		*area = (struct vm_area){v->start, v->end, v->file, v->pgoff};
	return v;
}

static void stat_of(struct file *f, struct kstat *st)
{
	memset(st, 0, sizeof(*st));
	if (f)
		vfs_fstat(f, st);
}

static const char *own_name(const struct vma *v)
{
	if (v->flags & VMA_HEAP)
		return "[heap]";
	if (v->flags & VMA_STACK)
		return "[stack]";
	if (v->flags & VMA_VDSO)
		return v->pgoff ? "[vvar]" : "[vdso]";
	if (v->flags & VMA_STUBS)
		return "[stubs]";
	return "";
}

static size_t print_area(const struct vma *v, char *buf, size_t size)
{
	const char *name = own_name(v);
	char path[256] = "";
	struct kstat st;
	int n;

	stat_of(v->file, &st);
	if (v->file && file_path(v->file, path, sizeof(path)) > 0)
		name = path;
	n = snprintf(buf, size, "%08lx-%08lx %c%c%c%c %08lx %02lx:%02lx %lu ", v->start, v->end,
		v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
		v->prot & PROT_EXEC ? 'x' : '-', v->flags & MAP_SHARED ? 's' : 'p',
		v->file ? (uint64_t)(v->pgoff * PAGE_BYTES) : 0ul, st.dev >> 8 & 0xfff,
		st.dev & 0xff, st.ino);
	if (!*name)
		return (size_t)n + (size_t)snprintf(buf + n, size - (size_t)n, "\n");
	return (size_t)n +
		(size_t)snprintf(buf + n, size - (size_t)n, "%*s%s\n",
			n < NAME_COLUMN ? NAME_COLUMN - n : 0, "", name);
}

size_t vm_print_maps(char *buf, size_t size)
{
	char line[400];
	size_t used = 0;

	for (const struct vma *v = vm.tree.first; v; v = v->next) {
		size_t n = print_area(v, line, sizeof(line));

		if (n > size - used)
			break;
		memcpy(buf + used, line, n);
		used += n;
	}
	return used;
}
