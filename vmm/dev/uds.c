/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dev/uds.h"

#include "lib/err.h"
#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BACKLOG 128

int uds_listen(const char *path, struct err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	_cleanup_close_ int fd = -1;

	if (n == 0 || n >= sizeof(sun.sun_path))
		return err_set(err, EINVAL, "path must be shorter than `SUN_LEN` (%zu bytes)",
			sizeof(sun.sun_path));
	memcpy(sun.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, errno, "%s (os error %d)", strerror(errno), errno);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return err_set(err, errno, "%s (os error %d)", strerror(errno), errno);
	if (listen(fd, BACKLOG) < 0) {
		int code = errno;

		unlink(path);
		return err_set(err, code, "%s (os error %d)", strerror(code), code);
	}
	return steal_fd(&fd);
}

int uds_folder(const char *path, const char **name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = NULL;
	int fd;

	*name = slash ? slash + 1 : path;
	if (!slash)
		folder = strdup(".");
	else
		folder = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (!folder)
		return err_set(err, ENOMEM, "out of memory");
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "%s", folder) : fd;
}
