/* SPDX-License-Identifier: Apache-2.0 */
/* See image.h. */
#include "tests/unit/libos/fs/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *image_make(const char *dir, const char *options, size_t *bytes)
{
	char file[] = "/tmp/uig-image-XXXXXX", cmd[512];
	int fd = mkstemp(file);
	struct stat st;
	void *image;

	if (access("/usr/bin/mkfs.erofs", X_OK) < 0) {
		printf("mkfs.erofs is not installed (erofs-utils)\n");
		exit(77);
	}
	snprintf(cmd, sizeof(cmd), "mkfs.erofs -T0 --all-root %s %s %s >/dev/null 2>&1", options,
		file, dir);
	if (fd < 0 || system(cmd) != 0 || fstat(fd, &st) < 0)
		abort();
	image = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	unlink(file);
	if (image == MAP_FAILED)
		abort();
	*bytes = (size_t)st.st_size;
	return image;
}
