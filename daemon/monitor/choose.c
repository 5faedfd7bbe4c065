/* SPDX-License-Identifier: Apache-2.0 */
/* Which monitors there are, and which one is used. */
#include "daemon/core.h"
#include "daemon/monitor/monitor.h"

#include <errno.h>
#include <string.h>

const struct monitor_ops *const monitors[] = {
	&monitor_uvmm, &monitor_firecracker, &monitor_qemu, &monitor_process, NULL};

const struct monitor_ops *monitor_find(const char *name)
{
	for (size_t i = 0; monitors[i]; i++) {
		if (strcmp(monitors[i]->name, name) == 0)
			return monitors[i];
	}
	return NULL;
}

int monitor_choose(
	const struct core *core, const char *name, const struct monitor_ops **out, struct err *err)
{
	const struct monitor_ops *ops = monitor_find(name);
	struct err why = {0};
	int r;

	if (ops) {
		r = ops->probe(core, err);
		if (r < 0)
			return err_prefix(err, "monitor %s", name);
		*out = ops;
		return 0;
	}
	if (strcmp(name, "auto") != 0)
		return err_set(err, EINVAL,
			"there is no monitor \"%s\": auto, uvmm, firecracker, qemu and process are "
			"known",
			name);
	if (monitor_uvmm.probe(core, &why) == 0) {
		*out = &monitor_uvmm;
		return 0;
	}
	if (monitor_qemu.probe(core, err) == 0) {
		*out = &monitor_qemu;
		return 0;
	}
	return err_set(err, ENODEV,
		"no monitor can be used here: uvmm: %s; qemu: %s; or choose --monitor process",
		why.msg, err ? err->msg : "");
}
