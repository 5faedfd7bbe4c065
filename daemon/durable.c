/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/durable.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES 512 /* of st_blocks (stat(3type)) */

int durable_write_json(const char *path, const json_t *root)
{
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t len = text ? strlen(text) : 0;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		return n < 0 ? -errno : -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

int durable_read_json(const char *path, json_t **root, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_free_ char *text = malloc(DURABLE_RECORD_MAX_BYTES);
	ssize_t n;

	if (!text)
		return err_sys(err, ENOMEM, "%s", path);
	n = fd < 0 ? -1 : read(fd, text, DURABLE_RECORD_MAX_BYTES);
	if (n < 0)
		return err_sys(err, errno, "cannot read %s", path);
	return jsonx_parse_object(text, (size_t)n, DURABLE_RECORD_DEPTH, root, err);
}

/* Its blocks on the disk are what it costs: a memory file is as large as the memory, and has holes. */
int durable_seal(const char *path, uint64_t *bytes)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return -EINVAL;
	*bytes += (uint64_t)st.st_blocks * BLOCK_BYTES;
	return fchmod(fd, 0400) < 0 || fsync(fd) < 0 ? -errno : 0;
}

uint64_t durable_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * BLOCK_BYTES : 0;
}

int durable_sync_folder(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}
