/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vsock.h"

#include "daemon/instance/instance.h"
#include "daemon/monitor/monitor.h"
#include "lib/err.h"

#include <errno.h>
#include <sys/stat.h>

static const struct instance *owner_of(const struct instances *instances, uint32_t cid)
{
	for (const struct instance *i = instances_first(instances); i; i = i->next) {
		if (i->vsock.wanted && i->vsock.cid == cid)
			return i;
	}
	return NULL;
}

int vsock_choose(const struct instances *instances, struct vsock_spec *vsock, struct err *err)
{
	const struct instance *owner;

	if (!vsock->wanted)
		return 0;
	if (vsock->cid) {
		owner = owner_of(instances, vsock->cid);
		return owner ? err_set(err, EEXIST,
				       "the CID %u is that of the VM %s: choose another, or none",
				       vsock->cid, owner->name)
			     : 0;
	}
	/* There are INSTANCES_MAX at most, so one of the first numbers is free. */
	for (vsock->cid = VSOCK_CID_MIN; owner_of(instances, vsock->cid); vsock->cid++)
		;
	return 0;
}

int vsock_make_folder(const struct shell *shell, struct err *err)
{
	_cleanup_free_ char *path = shell_path(shell, VSOCK_FOLDER);

	if (!path)
		return err_sys(err, ENOMEM, "VM");
	return mkdir(path, 0700) < 0 ? err_sys(err, errno, "cannot make %s", path) : 0;
}

json_t *vsock_json(const struct instance *inst)
{
	_cleanup_free_ char *path = inst->shell ? shell_path(inst->shell, VSOCK_SOCKET) : NULL;

	if (!inst->vsock.wanted)
		return json_null();
	return json_pack("{s:I, s:s?}", "cid", (json_int_t)inst->vsock.cid, "path", path);
}
