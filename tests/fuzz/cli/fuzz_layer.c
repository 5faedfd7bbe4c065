/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers from bytes, unpacked into a folder as an import does. Beside the root lies a file: it is there after each input, as it was,
 * and nothing else is.
 */
#include "cli/image/layer.h"

#include "lib/util.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define INFLATED_MAX (1 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One folder for all inputs; its watcher removes it when the fuzzer ends. */
static struct temp temp;

static void prepare(struct root *root)
{
	struct err err = {0};
	int fd;

	if (!temp.path) {
		assert(temp_new(&temp, &err) == 0);
		fd = openat(temp.fd, "beside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert(fd >= 0 && write(fd, "as it was", 9) == 9);
		close(fd);
	}
	*root = (struct root){.temp = temp, .fd = temp_folder(&temp, "root")};
	assert(root->fd >= 0);
}

static void check_beside(void)
{
	char text[16];
	int fd = openat(temp.fd, "beside", O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert(fd >= 0 && read(fd, text, sizeof(text)) == 9 && !memcmp(text, "as it was", 9));
	close(fd);
	temp_remove(temp.fd, "beside-none");
	assert(fstat(temp.fd, &st) == 0 && st.st_nlink == 3); /* ".", its name, "root" */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int packed = memfd_create("packed", MFD_CLOEXEC), tar = memfd_create("tar", MFD_CLOEXEC);
	char digest[DIGEST_TEXT_BYTES];
	struct err err = {0};
	struct root root;

	assert(packed >= 0 && tar >= 0 && write(packed, data, size) == (ssize_t)size);
	prepare(&root);
	if (!layer_inflate(packed, tar, INFLATED_MAX, digest, &err)) {
		assert(digest_is_valid(digest));
		layer_apply(&root, tar, &err);
	}
	check_beside();
	close(root.fd);
	temp_remove(temp.fd, "root");
	close(packed);
	close(tar);
	return 0;
}
