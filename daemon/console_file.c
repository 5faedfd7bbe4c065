/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/console_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW)

static void old_name(const char *path, uint64_t number, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s.%llu", path, (unsigned long long)number);
}

/* "NAME.17" -> 17; 0: it is no such name. */
static uint64_t number_of(const char *entry, const char *name, size_t len)
{
	unsigned long long n;
	char *end;

	if (strncmp(entry, name, len) != 0 || entry[len] != '.' || entry[len + 1] < '1' ||
		entry[len + 1] > '9')
		return 0;
	errno = 0;
	n = strtoull(entry + len + 1, &end, 10);
	return errno || *end || n > UINT64_MAX / CONSOLE_FILE_BYTES - 2 ? 0 : n;
}

uint64_t console_file_count(const char *path)
{
	const char *name = strrchr(path, '/');
	char folder[PATH_MAX];
	const struct dirent *e;
	uint64_t count = 0;
	DIR *dir;

	if (!name ||
		(size_t)snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path) >=
			sizeof(folder))
		return 0;
	dir = opendir(folder);
	if (!dir)
		return 0;
	while ((e = readdir(dir))) {
		uint64_t n = number_of(e->d_name, name + 1, strlen(name + 1));

		count = n > count ? n : count;
	}
	closedir(dir);
	return count;
}

void console_file_rotate(const char *path, uint64_t count)
{
	char old[PATH_MAX];

	old_name(path, count + 1, old);
	rename(path, old);
	if (!count)
		return;
	old_name(path, count, old);
	unlink(old);
}

/* --- the end of it ------------------------------------------------------------------------------------------------- */
/* The last max bytes of one file. */
static int tail_file(const char *path, size_t max, struct buf *out)
{
	_cleanup_close_ int fd = open(path, OPEN_FLAGS);
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t want;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	want = (size_t)st.st_size < max ? (size_t)st.st_size : max;
	data = malloc(want + 1);
	if (!data)
		return -ENOMEM;
	n = pread(fd, data, want, st.st_size - (off_t)want);
	return n < 0 ? -errno : buf_add(out, data, (size_t)n);
}

static void keep_lines(struct buf *out, size_t from, long lines)
{
	size_t at = out->len;

	if (at > from && out->data[at - 1] == '\n')
		at--; /* the last line's own end */
	while (at > from && !(out->data[at - 1] == '\n' && --lines <= 0))
		at--;
	if (at > from) {
		memmove(out->data + from, out->data + at, out->len - at + 1);
		out->len -= at - from;
	}
}

int console_tail(const char *path, size_t max, long lines, struct buf *out)
{
	char old[PATH_MAX];
	struct stat st;
	size_t from = out->len;
	size_t now = stat(path, &st) == 0 ? (size_t)st.st_size : 0;
	int r = 0;

	if (lines == 0)
		return 0;
	if (now < max) {
		old_name(path, console_file_count(path), old);
		r = tail_file(old, max - now, out);
	}
	if (r == 0)
		r = tail_file(path, max, out);
	if (r == 0 && lines > 0 && out->len > from)
		keep_lines(out, from, lines);
	return r;
}

/* --- by offset ----------------------------------------------------------------------------------------------------- */
int console_reader_init(struct console_reader *r, const char *path)
{
	*r = (struct console_reader){.path = strdup(path), .old_fd = -1, .fd = -1};
	return r->path ? 0 : -ENOMEM;
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void console_reader_fini(struct console_reader *r)
{
	close_file(&r->old_fd);
	close_file(&r->fd);
	free(r->path);
}

static int open_file(const char *path)
{
	int fd = open(path, OPEN_FLAGS);

	return fd >= 0 || errno == ENOENT ? fd : -errno;
}

/* What is held stays when there is nothing any more. */
static int look(struct console_reader *r)
{
	uint64_t count = console_file_count(r->path);
	char old[PATH_MAX];
	int fd;

	if (r->fd >= 0 && count <= r->count)
		return 0;
	fd = open_file(r->path);
	if (fd < -1)
		return fd;
	if (fd < 0 && !count)
		return 0;
	close_file(&r->old_fd);
	if (r->fd >= 0 && count == r->count + 1)
		r->old_fd = steal_fd(&r->fd);
	close_file(&r->fd);
	r->fd = fd;
	r->count = count;
	if (r->old_fd >= 0 || !count)
		return 0;
	old_name(r->path, count, old);
	fd = open_file(old);
	r->old_fd = fd >= 0 ? fd : -1;
	return fd < -1 ? fd : 0;
}

static uint64_t size_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int console_reader_extent(struct console_reader *r, uint64_t *begin, uint64_t *end)
{
	uint64_t last;
	int rc = look(r);

	if (rc < 0)
		return rc;
	last = r->count * CONSOLE_FILE_BYTES;
	*begin = last - size_of(r->old_fd);
	*end = last + size_of(r->fd);
	return 0;
}

static ssize_t read_at(int fd, uint64_t at, char *data, size_t len)
{
	ssize_t n = fd >= 0 ? pread(fd, data, len, (off_t)at) : 0;

	return n < 0 ? -errno : n;
}

ssize_t console_reader_read(const struct console_reader *r, uint64_t at, char *data, size_t len)
{
	uint64_t last = r->count * CONSOLE_FILE_BYTES, first = last - size_of(r->old_fd);
	ssize_t old, n;

	if (at < first)
		return -ESTALE;
	if (at >= last)
		return read_at(r->fd, at - last, data, len);
	old = read_at(r->old_fd, at - first, data, len);
	if (old < 0 || at + (uint64_t)old < last)
		return old;
	n = read_at(r->fd, 0, data + old, len - (size_t)old);
	return n < 0 ? n : old + n;
}
