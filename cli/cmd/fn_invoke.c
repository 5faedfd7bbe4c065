/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter fn invoke: one request to a function; what it answers goes to stdout as it is. */
#include "cli/fn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int print(void *arg, const void *data, size_t len)
{
	(void)arg;
	return fwrite(data, 1, len, stdout) == len && fflush(stdout) == 0 ? 0 : -EIO;
}

/* The text itself, or with @ before it the file of that name. */
static int open_data(const char *data, int *fd, uint64_t *bytes, struct err *err)
{
	struct stat st;

	*fd = data[0] == '@' ? open(data + 1, O_RDONLY | O_CLOEXEC)
			     : memfd_create("request", MFD_CLOEXEC);
	if (*fd < 0)
		return err_sys(err, errno, "--data \"%s\"", data);
	if (data[0] != '@' && write(*fd, data, strlen(data)) != (ssize_t)strlen(data))
		return err_sys(err, errno, "--data");
	if (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "--data \"%s\" is no file", data);
	*bytes = (uint64_t)st.st_size;
	return 0;
}

static int target(const struct args *args, struct buf *path, struct err *err)
{
	const char *behind = args_operands(args) > 1 ? args_operand(args, 1) : "/";
	int rc = fn_path(path, args_operand(args, 0), "/invoke", err);

	if (rc)
		return rc;
	rc = buf_printf(path, "%s%s", *behind == '/' ? "" : "/", behind);
	return rc ? err_set(err, ENOMEM, "out of memory") : 0;
}

int cmd_fn_invoke(const struct invocation *inv)
{
	const char *data = args_text(inv->args, "data"), *method = args_text(inv->args, "method");
	struct api *api _cleanup_(api_closep) = NULL;
	struct buf path _cleanup_buf_ = {0};
	int fd _cleanup_close_ = -1;
	uint64_t bytes = 0;
	struct err err = {0};
	int rc = target(inv->args, &path, &err);

	if (!rc && data)
		rc = open_data(data, &fd, &bytes, &err);
	if (!rc && verb_open(inv, &api))
		return EXIT_USAGE;
	if (!rc)
		rc = api_call(api,
			&(struct api_request){.method = method
					?: data ? "POST"
						: "GET",
				.path = path.data,
				.body_fd = fd,
				.body_bytes = bytes,
				.header = {args_text(inv->args, "header"), NULL},
				.on_data = print},
			NULL, &err);
	return rc ? complain(exit_status_of(rc), "cannot invoke function \"%s\": %s",
			    args_operand(inv->args, 0), err.msg)
		  : EXIT_OK;
}
