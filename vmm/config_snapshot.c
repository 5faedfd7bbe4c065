/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots in requests: Firecracker's bodies of /snapshot/create and /snapshot/load, with our additions; and in a start, the two files that a
 * later /snapshot/create will write, which are opened there because nothing can be opened once the guest runs (vmm/sandbox/sandbox.h).
 */
#include "vmm/config_impl.h"

#include "lib/err.h"
#include "lib/jsonx.h"
#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_output(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(err, errno, "%s", path) : fd;
}

void config_snapshot_fini(struct config *config)
{
	struct config_snapshot *s = &config->snapshot;

	free(s->state_path);
	free(s->mem_path);
	if (s->state_fd >= 0)
		close(s->state_fd);
	if (s->mem_fd >= 0)
		close(s->mem_fd);
	*s = (struct config_snapshot){.state_fd = -1, .mem_fd = -1, .files_fd = s->files_fd};
}

static int read_paths(const json_t *body, const char **state, const char **mem, struct err *err)
{
	int r = jsonx_opt_str(body, "snapshot_path", CONFIG_PATH_MAX_BYTES, state, err);

	if (r == 0)
		r = jsonx_opt_str(body, "mem_file_path", CONFIG_PATH_MAX_BYTES, mem, err);
	if (r == 0 && !*state != !*mem)
		r = err_set(err, EINVAL, "missing field `%s`",
			*state ? "mem_file_path" : "snapshot_path");
	return r;
}

int config_snapshot_files(struct config *config, const json_t *body, struct err *err)
{
	static const char *const names[] = {"snapshot_path", "mem_file_path", NULL};
	struct config_snapshot *s = &config->snapshot;
	const char *state = NULL, *mem = NULL;
	int r = config_check_fields(body, names, err);

	if (r == 0)
		r = read_paths(body, &state, &mem, err);
	if (r < 0)
		return err_prefix(err, "snapshot");
	if (!state || !mem)
		return err_set(err, EINVAL, "snapshot: missing field `snapshot_path`");
	config_snapshot_fini(config);
	s->state_path = strdup(state);
	s->mem_path = strdup(mem);
	if (!s->state_path || !s->mem_path)
		return err_set(err, ENOMEM, "out of memory");
	s->state_fd = open_output(state, err);
	if (s->state_fd < 0)
		return s->state_fd;
	s->mem_fd = open_output(mem, err);
	return s->mem_fd < 0 ? s->mem_fd : 0;
}

int config_snapshot_create(const struct config *config, const json_t *body,
	struct snapshot_files *out, struct err *err)
{
	static const char *const names[] = {"snapshot_path", "mem_file_path", "snapshot_type",
		"version", "passed_files", "resume_vm", NULL};
	const struct config_snapshot *s = &config->snapshot;
	const char *state = NULL, *mem = NULL, *type = "Full", *token = NULL, *version;
	bool resume = false;
	int r = config_check_fields(body, names, err);

	if (r < 0 || (r = read_paths(body, &state, &mem, err)) < 0 ||
		(r = jsonx_opt_bool(body, "resume_vm", &resume, err)) < 0 ||
		(r = jsonx_opt_str(body, "version", 32, &version, err)) < 0 ||
		(r = jsonx_opt_str(body, "passed_files", SNAPSHOT_TOKEN_BYTES, &token, err)) < 0 ||
		(r = jsonx_opt_str(body, "snapshot_type", 16, &type, err)) < 0)
		return r;
	if (strcmp(type, "Full") != 0)
		return err_set(err, EINVAL, "snapshot_type: only `Full` is supported");
	*out = (struct snapshot_files){.state_fd = -1, .mem_fd = -1, .resume = resume};
	if (token && (state || mem))
		return err_set(err, EINVAL, "`passed_files` and paths exclude each other");
	if (token)
		return snapshot_files_receive(s->files_fd, token, out, err);
	if (s->state_path && s->mem_path &&
		(!state || !mem ||
			(strcmp(state, s->state_path) == 0 && strcmp(mem, s->mem_path) == 0))) {
		out->state_fd = s->state_fd;
		out->mem_fd = s->mem_fd;
		return 0;
	}
	if (!state || !mem) {
		out->anonymous = true;
		return 0;
	}
	out->owned = true;
	r = out->state_fd = open_output(state, err);
	if (r >= 0)
		r = out->mem_fd = open_output(mem, err);
	if (r < 0) {
		snapshot_files_close(out);
		return err && err->code == EACCES
			? err_set(err, EACCES,
				  "in its sandbox the monitor can not open %s: name both files in "
				  "the start, or none "
				  "here",
				  state)
			: r;
	}
	return 0;
}

/* --- files that are passed ---------------------------------------------------------------------------------------- */
struct passed {
	char text[SNAPSHOT_TOKEN_BYTES + 1];
	size_t len;
	int fd[2]; /* owned; -1: none */
};

/* One message. 0, or -errno: -EAGAIN there is no more. Descriptors beyond the two the kernel closes (MSG_CTRUNC). */
static int receive(int files_fd, struct passed *p)
{
	union {
		char space[CMSG_SPACE(sizeof(p->fd))];
		struct cmsghdr align;
	} control;
	struct iovec text = {.iov_base = p->text, .iov_len = sizeof(p->text)};
	struct msghdr msg = {.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	const struct cmsghdr *c;
	ssize_t n;

	p->fd[0] = p->fd[1] = -1;
	n = recvmsg(files_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	p->len = (size_t)n;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(p->fd, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return 0;
}

static bool is_file(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int snapshot_files_receive(
	int files_fd, const char *token, struct snapshot_files *files, struct err *err)
{
	struct passed p;
	int r;

	if (files_fd < 0)
		return err_set(
			err, EINVAL, "passed_files: there is no socket for them (--files-fd)");
	while ((r = receive(files_fd, &p)) == 0) {
		files->state_fd = p.fd[0];
		files->mem_fd = p.fd[1];
		files->owned = true;
		if (p.len == strlen(token) && memcmp(p.text, token, p.len) == 0)
			break;
		snapshot_files_close(files);
	}
	if (r < 0)
		return err_set(err, ENOENT, "passed_files: none have come with this text");
	if (is_file(files->state_fd) && is_file(files->mem_fd))
		return 0;
	snapshot_files_close(files);
	return err_set(err, EINVAL, "passed_files: two files are wanted");
}

void snapshot_files_close(struct snapshot_files *files)
{
	if (files->owned && files->state_fd >= 0)
		close(files->state_fd);
	if (files->owned && files->mem_fd >= 0)
		close(files->mem_fd);
	files->state_fd = files->mem_fd = -1;
	files->owned = false;
}

static int check_backend(const json_t *body, const char **memory, struct err *err)
{
	static const char *const names[] = {"backend_type", "backend_path", NULL};
	const json_t *backend = json_object_get(body, "mem_backend");
	const char *type = NULL;
	int r;

	if (!backend) /* Firecracker's older form */
		return jsonx_str(body, "mem_file_path", CONFIG_PATH_MAX_BYTES, memory, err);
	r = config_check_fields(backend, names, err);
	if (r < 0 || jsonx_str(backend, "backend_type", 16, &type, err) < 0 ||
		jsonx_str(backend, "backend_path", CONFIG_PATH_MAX_BYTES, memory, err) < 0)
		return err_prefix(err, "mem_backend");
	return strcmp(type, "File") == 0
		? 0
		: err_set(err, EINVAL, "mem_backend: only `File` is supported");
}

/* [{iface_id, host_dev_name}]: at most the one interface that there is. */
static int apply_overrides(
	struct config *config, const json_t *list, bool prepared, struct err *err)
{
	static const char *const names[] = {"iface_id", "host_dev_name", NULL};
	const json_t *one = json_array_get(list, 0);
	const char *id = NULL, *tap = NULL;
	int r;

	if (!list || json_array_size(list) == 0)
		return list && !json_is_array(list)
			? err_set(err, EINVAL, "network_overrides: expected an array")
			: 0;
	if (json_array_size(list) > 1)
		return err_set(err, EINVAL, "network_overrides: there is one interface");
	r = config_check_fields(one, names, err);
	if (r < 0 || jsonx_str(one, "iface_id", CONFIG_ID_MAX, &id, err) < 0 ||
		jsonx_str(one, "host_dev_name", 15, &tap, err) < 0)
		return err_prefix(err, "network_overrides");
	if (!prepared)
		return config_set(&config->iface, id) < 0 || config_set(&config->tap, tap) < 0
			? err_set(err, ENOMEM, "out of memory")
			: 0;
	return config->tap && strcmp(config->tap, tap) == 0
		? 0
		: err_set(err, EINVAL,
			  "network_overrides: the prepared machine has another interface of the "
			  "host");
}

int config_snapshot_load(struct config *config, const json_t *body, bool prepared,
	struct snapshot_load_request *out, struct err *err)
{
	static const char *const names[] = {"snapshot_path", "mem_backend", "mem_file_path",
		"enable_diff_snapshots", "track_dirty_pages", "resume_vm", "network_overrides",
		"clock_realtime", "image_path", "boot_args", "guest_mac", "working_set_path",
		"verify", NULL};
	const char *workset = NULL;
	bool ignored = false;
	int r = config_check_fields(body, names, err);

	*out = (struct snapshot_load_request){0};
	if (r < 0 ||
		(r = jsonx_str(body, "snapshot_path", CONFIG_PATH_MAX_BYTES, &out->state, err)) <
			0 ||
		(r = check_backend(body, &out->memory, err)) < 0 ||
		(r = jsonx_opt_bool(body, "resume_vm", &out->resume, err)) < 0 ||
		(r = jsonx_opt_bool(body, "verify", &out->verify, err)) < 0 ||
		(r = jsonx_opt_bool(body, "clock_realtime", &ignored, err)) < 0 ||
		(r = jsonx_opt_bool(body, "track_dirty_pages", &ignored, err)) < 0 ||
		(r = jsonx_opt_bool(body, "enable_diff_snapshots", &ignored, err)) < 0 ||
		(r = jsonx_opt_str(
			 body, "working_set_path", CONFIG_PATH_MAX_BYTES, &workset, err)) < 0 ||
		(r = apply_overrides(
			 config, json_object_get(body, "network_overrides"), prepared, err)) < 0 ||
		(r = config_identity(config, body, err)) < 0)
		return r;
	return config_set(&config->workset, workset) < 0 ? err_set(err, ENOMEM, "out of memory")
							 : 0;
}
