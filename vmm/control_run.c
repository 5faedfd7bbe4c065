/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's life: prepared, started, paused, told to end; and how it is. */
#include "vmm/control_impl.h"

#include "abi/identity.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "vmm/report.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

void control_put_prepare(struct httpd_req *req)
{
	struct vm *vm = control_vm(req);
	struct err err = {0};

	control_done(req, vm_state(vm) == VM_EMPTY ? vm_prepare(vm, &err) : 0, &err);
}

void control_put_start(struct httpd_req *req)
{
	uint64_t now = (uint64_t)loop_now_ns();
	_cleanup_json_ json_t *body = control_body(req, true);
	struct vm *vm = control_vm(req);
	struct err err = {0};
	enum vm_state state = vm_state(vm);
	int r;

	if (!body)
		return;
	if (state > VM_LOADED) {
		control_fault(req, CONTROL_NOT_AFTER, "");
		return;
	}
	r = state == VM_LOADED ? config_start_loaded(&vm->config, body, &err)
			       : config_start(&vm->config, body, &err);
	if (r == 0 && json_object_get(body, "guest_mac"))
		vm_set_mac(vm);
	if (r == 0)
		r = vm_start(vm, now, &err);
	control_done(req, r, &err);
}

void control_put_action(struct httpd_req *req)
{
	uint64_t now = (uint64_t)loop_now_ns();
	struct control *c = httpd_arg(req);
	_cleanup_json_ json_t *body = control_body(req, false);
	bool before = vm_state(c->config.vm) <= VM_READY;
	const char *action = NULL;
	struct err err = {0};

	if (!body)
		return;
	if (jsonx_str(body, "action_type", 32, &action, &err) < 0 || json_object_size(body) != 1)
		control_fault(req, CONTROL_BAD_BODY,
			err.code ? err.msg : "unknown field, expected `action_type`");
	else if (strcmp(action, "InstanceStart") == 0 && before)
		control_done(req, vm_start(c->config.vm, now, &err), &err);
	else if (strcmp(action, "InstanceStart") == 0)
		control_fault(req, CONTROL_NOT_AFTER, "");
	else if (strcmp(action, "SendCtrlAltDel") != 0 && strcmp(action, "FlushMetrics") != 0)
		control_fault(req,
			CONTROL_BAD_BODY
			"unknown variant, "
			"expected one of `FlushMetrics`, `InstanceStart`, `SendCtrlAltDel`",
			"");
	else if (before)
		control_fault(req, CONTROL_NOT_BEFORE, "");
	else {
		if (strcmp(action, "SendCtrlAltDel") == 0)
			vm_raise(c->config.vm, UIG_EVENT_TERM);
		control_done(req, 0, &err);
	}
}

void control_patch_vm(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = control_body(req, false);
	struct vm *vm = control_vm(req);
	const char *state = NULL;
	struct err err = {0};
	int r = 0;

	if (!body)
		return;
	if (jsonx_str(body, "state", 16, &state, &err) < 0 || json_object_size(body) != 1 ||
		(strcmp(state, "Paused") != 0 && strcmp(state, "Resumed") != 0)) {
		control_fault(req, CONTROL_BAD_BODY,
			err.code ? err.msg : "expected `state`: one of `Paused`, `Resumed`");
		return;
	}
	/* A state that is there already is no error (Firecracker). */
	if (strcmp(state, "Paused") == 0 && vm_state(vm) != VM_PAUSED && vm_state(vm) != VM_LOADED)
		r = vm_pause(vm);
	else if (strcmp(state, "Resumed") == 0 && vm_state(vm) != VM_RUNNING)
		r = vm_resume(vm);
	if (r < 0)
		err_set(&err, -r, "the microVM has ended");
	control_done(req, r, &err);
}

void control_put_stop(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);
	_cleanup_json_ json_t *body = control_body(req, true);
	struct err err = {0};
	int64_t grace = -1;

	if (!body)
		return;
	if (jsonx_opt_int(body, "grace_ms", 0, CONTROL_WAIT_MAX_MS, &grace, &err) == 0)
		c->config.stop(c->config.arg, grace);
	control_done(req, -err.code, &err);
}

void control_get_status(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);

	control_reply(req, report_json(c->config.vm, c->config.id));
}
