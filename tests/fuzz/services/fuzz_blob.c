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

/* By one read, or in pieces. */
static void look(size_t memory, size_t size, enum blob_type type, bool with_trailer)
{
	struct blob_info info;
	int r;

	blob_set_memory(dir, memory);
	r = blob_read(dir, "1", BLOB_INPUT, &info);
	if (with_trailer && (r < 0 || info.bytes != size || info.type != type))
		abort();
	if (!with_trailer && r == 0 && info.bytes + BLOB_TRAILER_BYTES != size)
		abort();
	if (r == 0)
		blob_read_end(dir, &info);
	if (blob_held(dir))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!dir) {
		if (!mkdtemp(path) || blob_open(path, 1 << 20, &dir, NULL) < 0)
			abort();
		snprintf(file, sizeof(file), "%s/1.in", path);
		atexit(clean);
	}
	for (int with_trailer = 0; with_trailer < 2; with_trailer++) {
		put(data, size, with_trailer);
		look(0, size, blob_type_of(data, size), with_trailer);
		look(BLOB_MEMORY_BYTES, size, blob_type_of(data, size), with_trailer);
	}
	return 0;
}
