/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots, and what belongs to clones. A snapshot is written while the machine stands, or, when it is to go on at once, by a child of this process
 * (snapshot/behind.h); then the answer waits for that child:
 *
 *   control_put_snapshot_create() --stands--> written --> answered
 *          |
 *          +-- resume_vm --> behind --on_written(), the machine's end--> answered, if somebody still waits
 */
#include "vmm/control_impl.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "vmm/snapshot/behind.h"
#include "vmm/snapshot/load.h"
#include "vmm/snapshot/save.h"
#include "vmm/vm.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

/* Memory of this process under two descriptors, for who can open them (/proc/PID/fd/N) before the guest goes on. */
static int make_anonymous(struct vm *vm, struct snapshot_files *files, struct err *err)
{
	struct config_snapshot *s = &vm->config.snapshot;

	if (s->state_fd < 0)
		s->state_fd = memfd_create("snapshot", MFD_CLOEXEC);
	if (s->mem_fd < 0)
		s->mem_fd = memfd_create("snapshot-memory", MFD_CLOEXEC);
	if (s->state_fd < 0 || s->mem_fd < 0)
		return err_sys(err, errno, "memory for a snapshot");
	files->state_fd = s->state_fd;
	files->mem_fd = s->mem_fd;
	return 0;
}

static void answer_create(struct httpd_req *req, const struct snapshot_files *files,
	uint64_t stood_ns, int r, const struct err *err)
{
	json_t *body = NULL;

	if (r == 0 && (files->anonymous || files->resume))
		body = json_object();
	if (body && files->anonymous)
		json_object_update_new(body,
			json_pack("{s:i, s:i, s:i}", "pid", (int)getpid(), "state_fd",
				files->state_fd, "mem_fd", files->mem_fd));
	if (body && files->resume)
		json_object_set_new(body, "paused_us", json_integer((json_int_t)(stood_ns / 1000)));
	if (body)
		control_reply(req, body);
	else if (r < 0)
		control_fault_errno(req, err);
	else
		control_done(req, r, err);
}

static void on_written(void *arg, const struct err *err)
{
	struct control *c = arg;
	struct httpd_req *req = c->behind_req;

	snapshot_behind_free(c->behind);
	c->behind = NULL;
	c->behind_req = NULL;
	if (req)
		answer_create(req, &c->behind_files, c->stood_ns, -err->code, err);
}

void control_snapshot_ended(struct control *c)
{
	if (c->behind)
		on_written(c, &(struct err){.code = EIO, .msg = "the microVM has ended"});
}

static void forget_behind(struct httpd_req *req)
{
	((struct control *)httpd_arg(req))->behind_req = NULL;
}

static uint64_t go_on(struct vm *vm)
{
	uint64_t from = vm->times.pause_ns;

	vm_resume(vm);
	return (uint64_t)loop_now_ns() - from;
}

/* True: the machine goes on, and the answer comes when the files are there. Without a child they are written while it stands. */
static bool write_behind(struct control *c, struct httpd_req *req, struct snapshot_files *files)
{
	struct vm *vm = c->config.vm;
	struct err err = {0};

	if (snapshot_behind(vm, files->state_fd, files->mem_fd, on_written, c, &c->behind, &err) <
		0) {
		log_warn("a snapshot is written while its VM stands", "error=\"%s\"", err.msg);
		return false;
	}
	c->stood_ns = go_on(vm);
	c->behind_files = *files;
	c->behind_req = req;
	httpd_defer(req, forget_behind);
	return true;
}

void control_put_snapshot_create(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);
	_cleanup_json_ json_t *body = control_body(req, true);
	struct vm *vm = control_vm(req);
	struct snapshot_files files;
	struct err err = {0};
	uint64_t stood_ns = 0;
	int r;

	if (!body)
		return;
	r = c->behind ? err_set(&err, EBUSY, "a snapshot is being written already")
		      : config_snapshot_create(&vm->config, body, &files, &err);
	if (r < 0) {
		control_done(req, r, &err);
		return;
	}
	r = snapshot_can_save(vm, &err);
	if (r == 0 && files.anonymous)
		r = make_anonymous(vm, &files, &err);
	if (r < 0 || !files.resume || !write_behind(c, req, &files)) {
		if (r == 0)
			r = snapshot_save(vm, files.state_fd, files.mem_fd, &err);
		if (files.resume)
			stood_ns = go_on(vm);
		answer_create(req, &files, stood_ns, r, &err);
	}
	if (!files.anonymous)
		snapshot_files_close(&files);
}

/* As with Firecracker, a machine that half a snapshot may stand in is of no more use: the process ends behind the answer. */
void control_put_snapshot_load(struct httpd_req *req)
{
	uint64_t now = (uint64_t)loop_now_ns();
	_cleanup_json_ json_t *body = control_body(req, false);
	struct vm *vm = control_vm(req);
	struct snapshot_load_request want;
	struct err err = {0};
	int r;

	if (!body)
		return;
	r = config_snapshot_load(&vm->config, body, vm_state(vm) != VM_EMPTY, &want, &err);
	if (r < 0) {
		control_done(req, r, &err);
		return;
	}
	r = snapshot_load(vm,
		&(struct snapshot_source){
			.state = want.state, .memory = want.memory, .verify = want.verify},
		&err);
	if (r == 0 && vm->config.have_mac && json_object_get(body, "guest_mac"))
		vm_set_mac(vm);
	if (r == 0 && want.resume)
		r = vm_start(vm, now, &err);
	malloc_trim(0); /* a clone's share of memory is counted in pages */
	if (r < 0)
		vm_end(vm, END_ERROR, 0, "the snapshot can not be loaded: %s", err.msg);
	if (r < 0)
		control_fault_errno(req, &err);
	else
		control_done(req, r, &err);
}

/* Behind the answer of a clone: what it has touched for that is its working set. */
void control_put_record(struct httpd_req *req)
{
	struct vm *vm = control_vm(req);
	struct err err = {0};
	enum vm_state state = vm_state(vm);

	if (state != VM_RUNNING && state != VM_PAUSED)
		err_set(&err, EINVAL, "the microVM does not run");
	else
		vm_record_workset(vm);
	control_done(req, -err.code, &err);
}
