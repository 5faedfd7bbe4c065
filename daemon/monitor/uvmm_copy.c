/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a VM that goes on (daemon/snapshot/snapshot.h):
 *
 *   two files passed to the monitor -> PATCH /vm Paused -> PUT /snapshot/create -> PATCH /vm Resumed -> done
 *                                                               it goes on with this, and is answered when the files are written
 *                                          |  fails             |  fails            ^
 *                                          +--------------------+-------------------+
 *
 * In its sandbox the monitor can open nothing, so it gets the files as descriptors, by a datagram socket that it inherited; the text that comes with
 * them is repeated in the request, so that what an earlier manager sent and did not use is not taken for it. Whatever
 * happens the VM is told to go on, again and again until it does: a manager that is killed in between leaves that to the next (uvmm_go_on()).
 */
#include "daemon/core.h"
#include "daemon/monitor/uvmm_impl.h"
#include "daemon/monitor/vmm_api.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define COPY_TIMEOUT_MS (10 * 60 * 1000) /* the memory is written to a disk, however slow */
#define AGAIN_NS        NS_PER_S
#define PAUSED          "{\"state\": \"Paused\"}"
#define RESUMED         "{\"state\": \"Resumed\"}"

static int address(const struct shell *s, struct sockaddr_un *at, struct err *err)
{
	_cleanup_free_ char *path = shell_path(s, UVMM_FILES_NAME);

	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!path)
		return err_sys(err, ENOMEM, "VM");
	if (strlen(path) >= sizeof(at->sun_path))
		return err_set(err, ENAMETOOLONG,
			"%s is too long for a socket: choose a shorter --run-dir", path);
	memcpy(at->sun_path, path, strlen(path) + 1);
	return 0;
}

int uvmm_files_socket(const struct shell *s, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at;
	int r = address(s, &at, err);

	if (r < 0)
		return r;
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return err_sys(err, errno, "cannot make the socket %s", at.sun_path);
	return steal_fd(&fd);
}

static int pass(const struct shell *s, const int fd[2], const char *token, struct err *err)
{
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec text = {.iov_base = (void *)(uintptr_t)token, .iov_len = strlen(token)};
	struct sockaddr_un at;
	struct msghdr msg = {.msg_name = &at,
		.msg_namelen = sizeof(at),
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int r = address(s, &at, err);

	if (r < 0)
		return r;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), fd, 2 * sizeof(int));
	if (sock < 0 || sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		return err_sys(err, errno, "cannot pass files to the monitor");
	return 0;
}

static void go_on(void *shell);

static void finish(struct shell *s)
{
	struct uvmm *u = s->priv;
	struct err err = u->copy_err;

	s->stood_ns = u->stood_ns ? u->stood_ns : loop_now_ns() - u->copy_from_ns;
	uvmm_copy_forget(s);
	shell_done(s, err.code ? &err : NULL);
}

/* It must go on: that no descriptor is free, or it does not answer, is true for a moment. */
static void again(struct shell *s, const char *why)
{
	struct uvmm *u = s->priv;

	log_error("a VM does not go on yet", "vm=%s error=\"%s\"", s->lease.name, why);
	if (!u->copy_again && loop_timer_new(s->core->loop, go_on, s, &u->copy_again) < 0)
		shell_kill(
			s); /* rather than a VM that stands still for ever and looks as if it ran */
	else
		loop_timer_set(u->copy_again, AGAIN_NS);
}

static void gone_on(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;

	u->copy_call = NULL;
	if (response->status == 0) {
		again(s, response->error);
		return;
	}
	if (response->status != 200 && response->status != 204 && !u->copy_err.code)
		vmm_fault(response, &u->copy_err); /* it has ended */
	finish(s);
}

static void go_on(void *shell)
{
	struct shell *s = shell;
	struct uvmm *u = s->priv;
	int r = uvmm_request(
		s, "PATCH", "/vm", RESUMED, UVMM_START_TIMEOUT_MS, gone_on, &u->copy_call);

	if (r < 0)
		again(s, strerror(-r));
}

/* 0: it did as told. */
static int look(struct uvmm *u, const struct httpc_response *response)
{
	u->copy_call = NULL;
	if (response->status == 200 || response->status == 204)
		return 0;
	vmm_fault(response, &u->copy_err);
	return -u->copy_err.code;
}

/* It went on long ago, and says when. */
static void copied(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;
	_cleanup_json_ json_t *body = NULL;
	int64_t us = 0;
	struct err err = {0};

	if (look(u, response) == 0 &&
		jsonx_parse_object(response->body, response->len, 2, &body, &err) == 0 &&
		jsonx_opt_int(body, "paused_us", 0, INT64_MAX / 1000, &us, &err) == 0)
		u->stood_ns = us * 1000;
	go_on(s);
}

static void paused(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;
	int r = look(u, response);

	if (r == 0) {
		r = uvmm_request(s, "PUT", "/snapshot/create", u->copy_body, COPY_TIMEOUT_MS,
			copied, &u->copy_call);
		if (r < 0)
			err_sys(&u->copy_err, -r, "cannot ask the monitor");
	}
	if (r < 0)
		go_on(s);
}

int uvmm_copy(struct shell *s, const struct copy_spec *spec, shell_done_fn *done, void *arg,
	struct err *err)
{
	_cleanup_json_ json_t *body = json_pack("{s:s, s:s, s:b}", "passed_files", spec->token,
		"snapshot_type", "Full", "resume_vm", !spec->stand);
	struct uvmm *u = s->priv;
	int r;

	if (s->done || u->copy_call)
		return err_set(err, EBUSY, "it is being copied already");
	r = pass(s, spec->fd, spec->token, err);
	if (r < 0)
		return r;
	u->copy_err = (struct err){0};
	u->stood_ns = 0;
	u->copy_body = body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (!u->copy_body)
		return err_sys(err, ENOMEM, "VM");
	u->copy_from_ns = loop_now_ns();
	r = uvmm_request(s, "PATCH", "/vm", PAUSED, UVMM_START_TIMEOUT_MS, paused, &u->copy_call);
	if (r < 0) {
		uvmm_copy_forget(s);
		return err_sys(err, -r, "cannot ask the monitor");
	}
	s->done = done;
	s->done_arg = arg;
	return 0;
}

void uvmm_go_on(struct shell *s)
{
	struct uvmm *u = s->priv;

	if (u->copy_call)
		return;
	u->copy_from_ns = loop_now_ns();
	go_on(s);
}

void uvmm_copy_forget(struct shell *s)
{
	struct uvmm *u = s->priv;

	httpc_cancel(u->copy_call);
	u->copy_call = NULL;
	loop_timer_free(u->copy_again);
	u->copy_again = NULL;
	free(u->copy_body);
	u->copy_body = NULL;
}
