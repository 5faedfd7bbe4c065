/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor table of the process (all threads share it) and the calls that only change it: dup, close, fcntl(F_DUPFD),
 * close_range. The table doubles when it is full; `low` is a lower bound of the lowest free descriptor.
 */
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/fs/locks.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sys/limits.h"
#include "libos/sys/syscall.h"

#define FD_TABLE_FIRST 64u
#define FD_TABLE_MAX   (1u << 20) /* as fs.nr_open */

struct fd_slot {
	struct file *file;
	bool cloexec;
};

static struct fd_slot *table;
static unsigned table_size, low;

unsigned fd_table_size(void)
{
	return table_size;
}

unsigned fd_limit(void)
{
	uint64_t soft = rlimit_soft(RLIMIT_NOFILE);

	return soft > FD_TABLE_MAX ? FD_TABLE_MAX : (unsigned)soft;
}

static struct fd_slot *slot_of(int fd)
{
	if (fd < 0 || (unsigned)fd >= table_size || !table[fd].file)
		return NULL;
	return &table[fd];
}

struct file *fd_file_any(int fd)
{
	struct fd_slot *s = slot_of(fd);

	return s ? s->file : NULL;
}

struct file *fd_file(int fd)
{
	struct file *f = fd_file_any(fd);

	return f && !(f->flags & O_PATH) ? f : NULL;
}

struct file *fd_file_get(int fd)
{
	struct file *f = fd_file(fd);

	return f ? file_get(f) : NULL;
}

int fd_next(int from)
{
	for (unsigned i = from < 0 ? 0 : (unsigned)from; i < table_size; i++) {
		if (table[i].file)
			return (int)i;
	}
	return -1;
}

static int table_grow(unsigned need)
{
	unsigned size = table_size ? table_size : FD_TABLE_FIRST;
	struct fd_slot *t;

	while (size < need)
		size *= 2;
	if (size == table_size)
		return 0;
	t = krealloc(table, size * sizeof(*t));
	if (!t)
		return -ENOMEM;
	memset(t + table_size, 0, (size - table_size) * sizeof(*t));
	table = t;
	table_size = size;
	return 0;
}

int fd_install_from(struct file *f, bool cloexec, unsigned min)
{
	unsigned fd = min > low ? min : low;
	int rc;

	if (min >= fd_limit())
		return -EINVAL;
	while (fd < table_size && table[fd].file)
		fd++;
	if (fd >= fd_limit())
		return -EMFILE;
	rc = table_grow(fd + 1);
	if (rc < 0)
		return rc;
	table[fd] = (struct fd_slot){.file = f, .cloexec = cloexec};
	if (min <= low)
		low = fd + 1;
	return (int)fd;
}

int fd_install(struct file *f, bool cloexec)
{
	int fd = fd_install_from(f, cloexec, 0);

	return fd == -EINVAL ? -EMFILE : fd;
}

bool fd_room(void)
{
	while (low < table_size && table[low].file)
		low++;
	return low < fd_limit();
}

/* For the kernel's own use of a new file: installs, or drops the file. */
int fd_install_new(struct file *f, bool cloexec)
{
	int fd = fd_install(f, cloexec);

	if (fd < 0)
		file_put(f);
	return fd;
}

int fd_close(int fd)
{
	struct fd_slot *s = slot_of(fd);
	struct file *f;

	if (!s)
		return -EBADF;
	f = s->file;
	s->file = NULL;
	if ((unsigned)fd < low)
		low = (unsigned)fd;
	locks_closed(f);
	file_put(f);
	return 0;
}

bool fd_cloexec(int fd)
{
	struct fd_slot *s = slot_of(fd);

	return s && s->cloexec;
}

void fd_set_cloexec(int fd, bool on)
{
	struct fd_slot *s = slot_of(fd);

	if (s)
		s->cloexec = on;
}

/* ---- calls */
long sys_close(const uint64_t a[6])
{
	return fd_close((int)a[0]);
}

static long dup_from(int old, unsigned min, bool cloexec)
{
	struct file *f = fd_file_any(old);
	int fd;

	if (!f)
		return -EBADF;
	fd = fd_install_from(f, cloexec, min);
	if (fd >= 0)
		file_get(f);
	return fd;
}

long fd_dup_from(int old, unsigned min, bool cloexec)
{
	return dup_from(old, min, cloexec);
}

long sys_dup(const uint64_t a[6])
{
	long fd = dup_from((int)a[0], 0, false);

	return fd == -EINVAL ? -EMFILE : fd;
}

static long dup_to(int old, int to, bool cloexec)
{
	struct file *f = fd_file_any(old), *before;
	int rc;

	if (to < 0 || (unsigned)to >= fd_limit() || !f)
		return -EBADF;
	rc = table_grow((unsigned)to + 1);
	if (rc < 0)
		return rc;
	before = table[to].file;
	table[to] = (struct fd_slot){.file = file_get(f), .cloexec = cloexec};
	if (before) {
		locks_closed(before);
		file_put(before);
	}
	return to;
}

long sys_dup2(const uint64_t a[6])
{
	int old = (int)a[0], to = (int)a[1];

	if (old == to)
		return fd_file_any(old) ? to : -EBADF;
	return dup_to(old, to, false);
}

long sys_dup3(const uint64_t a[6])
{
	int old = (int)a[0], to = (int)a[1];
	unsigned flags = (unsigned)a[2];

	if ((flags & ~O_CLOEXEC) || old == to)
		return -EINVAL;
	return dup_to(old, to, flags & O_CLOEXEC);
}

long sys_close_range(const uint64_t a[6])
{
	unsigned first = (unsigned)a[0], last = (unsigned)a[1], flags = (unsigned)a[2];

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	for (unsigned fd = first; fd < table_size && fd <= last; fd++) {
		if (!table[fd].file)
			continue;
		if (flags & CLOSE_RANGE_CLOEXEC)
			table[fd].cloexec = true;
		else
			fd_close((int)fd);
	}
	return 0;
}
