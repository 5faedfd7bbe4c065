/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/workset.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/util.h"
#include "vmm/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES     4096ull
#define HEAD           "uigniter-workset 1\n"
#define FILE_MAX_BYTES (128 * KIB)
#define LINE_BYTES     40u
#define MAP_CHUNK      512u
#define PAGE_PRESENT   (1ull << 63) /* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_OF_FILE   (1ull << 61)
#define GPA_LIMIT      (1ull << 52) /* what x86-64 page tables can name */
#define USER_LIMIT     (1ull << 47)

/* Adds a range behind the last; -EINVAL when it does not fit there. */
static int add(struct workset *set, uint64_t *total, uint64_t gpa, uint64_t pages)
{
	const struct workset_range *last = set->nranges ? &set->range[set->nranges - 1] : NULL;

	if (pages == 0 || pages > WORKSET_PAGES_MAX - *total || gpa % PAGE_BYTES != 0 ||
		gpa >= GPA_LIMIT || set->nranges == WORKSET_RANGES_MAX ||
		(last && gpa < last->gpa + last->pages * PAGE_BYTES))
		return -EINVAL;
	set->range[set->nranges++] = (struct workset_range){gpa, pages};
	*total += pages;
	return 0;
}

static int add_user(struct workset *set, uint64_t va, uint64_t pages, bool write)
{
	struct workset_user *last = set->nuser ? &set->user[set->nuser - 1] : NULL;
	uint64_t end = last ? last->va + last->pages * PAGE_BYTES : 0;

	if (pages == 0 || pages > WORKSET_USER_PAGES_MAX - set->user_pages ||
		va % PAGE_BYTES != 0 || va < end || va >= USER_LIMIT ||
		pages > (USER_LIMIT - va) / PAGE_BYTES)
		return -EINVAL;
	if (last && va == end && write == last->write) {
		last->pages += pages;
	} else if (set->nuser < WORKSET_USER_MAX) {
		set->user[set->nuser++] = (struct workset_user){va, pages, write};
	} else {
		return -EINVAL;
	}
	set->user_pages += pages;
	return 0;
}

int workset_add_user(struct workset *set, uint64_t va, bool write)
{
	return add_user(set, va, 1, write);
}

static void clear(struct workset *set)
{
	set->nranges = set->nuser = 0;
	set->user_pages = 0;
}

int workset_parse(const char *text, struct workset *set, struct err *err)
{
	unsigned line = 1;
	uint64_t total = 0;

	clear(set);
	if (strncmp(text, HEAD, strlen(HEAD)) != 0)
		return err_set(err, EINVAL, "not a working set");
	for (text += strlen(HEAD); *text;) {
		char *end, kind = '\0';
		uint64_t gpa, pages;

		line++;
		if ((text[0] == 'r' || text[0] == 'w') && text[1] == ' ') {
			kind = text[0];
			text += 2;
		}
		errno = 0;
		gpa = strtoull(text, &end, 16);
		if (errno || end == text || *end != ' ')
			return err_set(err, EINVAL, "line %u: no address", line);
		text = end + 1;
		pages = strtoull(text, &end, 16);
		if (errno || end == text || *end != '\n' ||
			(kind ? add_user(set, gpa, pages, kind == 'w')
			      : add(set, &total, gpa, pages)) < 0)
			return err_set(err, EINVAL, "line %u: bad range", line);
		text = end + 1;
	}
	return 0;
}

int workset_load(const char *path, struct workset *set, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = malloc(FILE_MAX_BYTES);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	n = read(fd, text, FILE_MAX_BYTES - 1);
	if (n < 0)
		return err_sys(err, errno, "%s", path);
	if (n == 0 || text[0] == '\0')
		return -ENOENT; /* somebody is about to write it */
	text[n] = '\0';
	n = workset_parse(text, set, err);
	return n < 0 ? err_prefix(err, "%s", path) : 0;
}

void workset_populate(const struct workset *set, const struct mem *mem)
{
	for (unsigned i = 0; i < set->nranges; i++) {
		uint64_t bytes = set->range[i].pages * PAGE_BYTES;
		void *at = mem_at(mem, set->range[i].gpa, bytes);

		/* A hint: without it (or with a kernel before 5.14) the guest's own touches do the work. */
		if (at)
			madvise(at, bytes, MADV_POPULATE_WRITE);
	}
}

int workset_record(struct workset *set, const struct mem *mem, gpa_t from, gpa_t to)
{
	uint64_t pages = to > from ? (to - from) / PAGE_BYTES : 0, total = 0, start = 0;
	_cleanup_free_ unsigned char *there = malloc(pages + 1);
	void *at = mem_at(mem, from, to - from);

	clear(set);
	if (!there || !at || pages == 0)
		return -EINVAL;
	if (mincore(at, pages * PAGE_BYTES, there) < 0)
		return -errno;
	there[pages] = 0;
	for (uint64_t i = 0; i <= pages; i++) {
		bool in = there[i] & 1;
		bool was = i > 0 && (there[i - 1] & 1);

		if (in && !was)
			start = i;
		if (!in && was && add(set, &total, from + start * PAGE_BYTES, i - start) < 0)
			break; /* full: the first part is a working set too */
	}
	return 0;
}

int workset_record_private(struct workset *set, const struct mem *mem, int pagemap_fd,
	workset_skip_fn *skip, void *arg)
{
	uint64_t bytes = 0, total = 0, map[MAP_CHUNK], run = 0, at = 0;
	const uint8_t *ram = mem_ram(mem, &bytes);
	uint64_t low = mem->nregions ? mem->region[0].bytes / PAGE_BYTES : 0;

	clear(set);
	if (!ram)
		return -EINVAL;
	while (at < low) {
		unsigned n = low - at < MAP_CHUNK ? (unsigned)(low - at) : MAP_CHUNK;
		off_t from = (off_t)(((uintptr_t)ram / PAGE_BYTES + at) * sizeof(map[0]));

		if (pread(pagemap_fd, map, n * sizeof(map[0]), from) !=
			(ssize_t)(n * sizeof(map[0])))
			return -EIO;
		for (unsigned i = 0; i < n; i++, at++) {
			if ((map[i] & PAGE_PRESENT) && !(map[i] & PAGE_OF_FILE) &&
				!(skip && skip(arg, mem, at * PAGE_BYTES))) {
				run++;
				continue;
			}
			if (run && add(set, &total, (at - run) * PAGE_BYTES, run) < 0)
				return 0; /* full: the first part is a working set too */
			run = 0;
		}
	}
	if (run)
		add(set, &total, (at - run) * PAGE_BYTES, run);
	return 0;
}

int workset_create(const char *path, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES ? -EAGAIN
							  : err_sys(err, errno, "%s", path);
	return steal_fd(&fd);
}

/* The head comes last: until then the file begins with zeros and is none. */
int workset_save(const struct workset *set, int fd, struct err *err)
{
	_cleanup_buf_ struct buf text;
	int r = 0;

	buf_init(&text, FILE_MAX_BYTES);
	for (unsigned i = 0; i < set->nranges && r == 0; i++)
		r = buf_printf(
			&text, "%" PRIx64 " %" PRIx64 "\n", set->range[i].gpa, set->range[i].pages);
	for (unsigned i = 0; i < set->nuser && r == 0; i++)
		r = buf_printf(&text, "%c %" PRIx64 " %" PRIx64 "\n",
			set->user[i].write ? 'w' : 'r', set->user[i].va, set->user[i].pages);
	if (r < 0)
		return err_sys(err, -r, "working set");
	if (ftruncate(fd, 0) < 0 ||
		pwrite(fd, text.data, text.len, strlen(HEAD)) != (ssize_t)text.len ||
		pwrite(fd, HEAD, strlen(HEAD), 0) != (ssize_t)strlen(HEAD))
		return err_sys(err, errno, "working set");
	return 0;
}
