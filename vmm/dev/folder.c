/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dev/folder.h"

#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>

int folder_open(const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, errno, "%s", path) : fd;
}
