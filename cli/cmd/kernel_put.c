/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter kernel put: a file becomes a kernel of the manager's. */
#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static int put(struct api *api, const char *name, const char *file, struct err *err)
{
	int fd _cleanup_close_ = open(file, O_RDONLY | O_CLOEXEC);
	struct buf path _cleanup_buf_ = {0};
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(err, errno, "%s", file);
		return -EINVAL; /* -ENOENT would be a kernel that is not there */
	}
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return err_set(err, EINVAL, "%s is not a file with something in it", file);
	rc = api_kernel_path(&path, name, err);
	return rc ? rc
		  : api_call(api,
			    &(struct api_request){.method = "PUT",
				    .path = path.data,
				    .body_fd = fd,
				    .body_bytes = (uint64_t)st.st_size},
			    NULL, err);
}

int cmd_kernel_put(const struct invocation *inv)
{
	const char *name = args_operand(inv->args, 0);
	struct api *api _cleanup_(api_closep) = NULL;
	struct err err = {0};
	int rc;

	if (verb_open(inv, &api))
		return EXIT_USAGE;
	rc = put(api, name, args_operand(inv->args, 1), &err);
	if (rc)
		return complain(
			exit_status_of(rc), "cannot put the kernel \"%s\": %s", name, err.msg);
	printf("%s\n", name);
	return 0;
}
