/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine is made of, told before its start; and who answers. */
#include "vmm/control_impl.h"

#include "lib/err.h"
#include "vmm/vm.h"

#include <string.h>

void control_get_instance(struct httpd_req *req)
{
	struct control *c = httpd_arg(req);

	control_reply(req,
		json_pack("{s:s, s:s, s:s, s:s}", "id", c->config.id, "state",
			vm_state_name(vm_state(c->config.vm)), "vmm_version", UIGNITER_VERSION,
			"app_name", "uvmm"));
}

void control_get_version(struct httpd_req *req)
{
	control_reply(req, json_pack("{s:s}", "firecracker_version", UIGNITER_VERSION));
}

void control_get_machine(struct httpd_req *req)
{
	control_reply(req, config_machine_json(&control_vm(req)->config));
}

void control_get_config(struct httpd_req *req)
{
	control_reply(req, config_json(&control_vm(req)->config));
}

/* What a shell is made from has changed: the next start makes a new one. */
static void configured(struct httpd_req *req, int r, const struct err *err)
{
	if (r == 0)
		vm_unprepare(control_vm(req));
	control_done(req, r, err);
}

void control_set_machine(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = control_body(req, false);
	struct err err = {0};

	if (body)
		configured(req,
			config_machine(&control_vm(req)->config, body,
				strcmp(httpd_method(req), "PATCH") == 0, &err),
			&err);
}

void control_put_boot_source(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = control_body(req, false);
	struct err err = {0};

	if (body)
		configured(req, config_boot(&control_vm(req)->config, body, &err), &err);
}

void control_put_net(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = control_body(req, false);
	struct err err = {0};

	if (body)
		configured(req,
			config_net(&control_vm(req)->config, httpd_param(req, "id"), body, &err),
			&err);
}

/* Drives are made at the start: a prepared shell stays as it is. */
void control_put_drive(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = control_body(req, false);
	struct err err = {0};

	if (body)
		control_done(req,
			config_drive(&control_vm(req)->config, httpd_param(req, "id"), body, &err),
			&err);
}

void control_patch_drive(struct httpd_req *req)
{
	control_fault(req, "this monitor can not change a drive of a running microVM", "");
}

void control_put_entropy(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = control_body(req, false);
	struct err err = {0};

	if (body)
		control_done(req, config_entropy(&control_vm(req)->config, body, &err), &err);
}

void control_put_vsock(struct httpd_req *req)
{
	_cleanup_json_ json_t *body = control_body(req, false);
	struct err err = {0};

	if (body)
		control_done(req, config_vsock(&control_vm(req)->config, body, &err), &err);
}
