/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading pictures, each with its check. A small one is read into memory with its trailer, by one read; of a large one the trailer is read,
 * then the picture in pieces for its checksum, and its sender reads it once more.
 */
#include "services/storage/blob_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <sys/stat.h>

#define READ_BYTES (64 * KIB)

void *blob_hold(struct blob_dir *dir, size_t bytes)
{
	void *data = dir->held + bytes <= dir->memory ? malloc(bytes) : NULL;

	if (data)
		dir->held += bytes;
	return data;
}

void blob_release(struct blob_dir *dir, void *data, size_t bytes)
{
	if (data)
		dir->held -= bytes;
	free(data);
}

size_t blob_held(const struct blob_dir *dir)
{
	return dir->held;
}

bool blob_exists(struct blob_dir *dir, const char *id, enum blob_kind kind)
{
	char name[BLOB_NAME_BYTES];
	struct stat st;

	blob_name_of(id, kind, name);
	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Reads exactly so many bytes. -EBADMSG: there are fewer. */
static int read_at(int fd, void *data, size_t len, uint64_t offset)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int check_sum(int fd, uint64_t bytes, uint32_t want, enum blob_type *type)
{
	_cleanup_free_ unsigned char *buf = malloc(READ_BYTES);
	uint32_t sum = 0;

	if (!buf)
		return -ENOMEM;
	for (uint64_t at = 0; at < bytes;) {
		size_t n = bytes - at < READ_BYTES ? (size_t)(bytes - at) : READ_BYTES;
		int r = read_at(fd, buf, n, at);

		if (r < 0)
			return r;
		if (at == 0)
			*type = blob_type_of(buf, n);
		sum = libdeflate_crc32(sum, buf, n);
		at += n;
	}
	return sum == want ? 0 : -EBADMSG;
}

/* With its trailer, in one go. */
static int read_small(struct blob_info *info)
{
	size_t size = (size_t)info->st.st_size;
	uint32_t sum = 0;
	int r = read_at(info->fd, info->data, size, 0);

	if (r == 0)
		r = blob_trailer_parse(
			info->data + size - BLOB_TRAILER_BYTES, size, &info->bytes, &sum);
	if (r < 0)
		return r;
	info->type = blob_type_of(info->data, (size_t)info->bytes);
	return libdeflate_crc32(0, info->data, (size_t)info->bytes) == sum ? 0 : -EBADMSG;
}

static int check_large(struct blob_info *info)
{
	unsigned char trailer[BLOB_TRAILER_BYTES];
	uint64_t size = (uint64_t)info->st.st_size;
	uint32_t sum = 0;
	int r = read_at(info->fd, trailer, sizeof(trailer), size - BLOB_TRAILER_BYTES);

	if (r == 0)
		r = blob_trailer_parse(trailer, size, &info->bytes, &sum);
	return r < 0 ? r : check_sum(info->fd, info->bytes, sum, &info->type);
}

static int check(struct blob_dir *dir, struct blob_info *info)
{
	if (fstat(info->fd, &info->st) < 0)
		return -errno;
	if (!S_ISREG(info->st.st_mode) || info->st.st_size < BLOB_TRAILER_BYTES)
		return -EBADMSG;
	if ((uint64_t)info->st.st_size <= BLOB_READ_BYTES) {
		info->held = (size_t)info->st.st_size;
		info->data = blob_hold(dir, info->held);
	}
	return info->data ? read_small(info) : check_large(info);
}

/* -EAGAIN: it is to be opened. */
static int read_kept(struct blob_dir *dir, const char *name, struct blob_info *info)
{
	int r;

	info->fd = blob_kept(dir, name);
	if (info->fd < 0)
		return -EAGAIN;
	r = check(dir, info);
	info->fd = -1;
	if (r == 0 && info->data)
		return 0;
	blob_read_end(dir, info);
	return r == 0 ? -EAGAIN : r; /* no memory for it: from its file, which its reader closes */
}

int blob_read(struct blob_dir *dir, const char *id, enum blob_kind kind, struct blob_info *info)
{
	char name[BLOB_NAME_BYTES];
	int r;

	*info = (struct blob_info){0};
	blob_name_of(id, kind, name);
	r = read_kept(dir, name, info);
	if (r != -EAGAIN)
		return r;
	info->fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (info->fd < 0)
		return -errno;
	r = check(dir, info);
	if (r < 0) {
		blob_read_end(dir, info);
	} else if (info->data) {
		close(info->fd);
		info->fd = -1;
	}
	return r;
}

void blob_read_end(struct blob_dir *dir, struct blob_info *info)
{
	if (info->fd >= 0)
		close(info->fd);
	blob_release(dir, info->data, info->held);
	info->fd = -1;
	info->data = NULL;
}
