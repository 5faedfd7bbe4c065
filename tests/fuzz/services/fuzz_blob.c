/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of storage's folder: either it is refused, or the picture is just what its trailer vouches for. */
#include "services/storage/blob.h"

#include <fcntl.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct blob_dir *dir;
static char path[] = "/tmp/uig-fuzz-blob-XXXXXX", file[64];

static void clean(void)
{
	unlink(file);
	rmdir(path);
}

static void put(const uint8_t *data, size_t size, bool with_trailer)
{
	unsigned char trailer[BLOB_TRAILER_BYTES];
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bool ok = fd >= 0 && write(fd, data, size) == (ssize_t)size;

	blob_trailer_make(size, (uint32_t)crc32_z(0, data, size), trailer);
	if (with_trailer)
		ok = ok && write(fd, trailer, sizeof(trailer)) == sizeof(trailer);
	if (!ok)
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob_info info;
	int fd;

	if (!dir) {
		if (!mkdtemp(path) || blob_open(path, 1 << 20, &dir, NULL) < 0)
			abort();
		snprintf(file, sizeof(file), "%s/1.in", path);
		atexit(clean);
	}
	put(data, size, false);
	fd = blob_read(dir, "1", BLOB_INPUT, &info);
	if (fd >= 0 && info.bytes + BLOB_TRAILER_BYTES != size)
		abort();
	if (fd >= 0)
		close(fd);
	put(data, size, true);
	fd = blob_read(dir, "1", BLOB_INPUT, &info);
	if (fd < 0 || info.bytes != size || info.type != blob_type_of(data, size))
		abort();
	close(fd);
	return 0;
}
