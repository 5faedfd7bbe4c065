/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance/run_spec.h"

#include "daemon/api/run_request.h"
#include "daemon/cgroup.h"
#include "daemon/core.h"
#include "daemon/image/config.h"
#include "daemon/image/store.h"
#include "daemon/pool.h"
#include "daemon/snapshot/snapshot.h"
#include "daemon/volume.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* Opened to be looked at only: the start opens them again. */
static int check_volumes(const struct core *core, const struct run_spec *spec, struct err *err)
{
	struct volume_files files;
	int r;

	if (spec->volumes && spec->shell.ops == &monitor_process)
		return err_set(err, EINVAL, "the monitor process has no volumes");
	for (size_t i = 0; spec->shell.ops->no_folders && i < json_array_size(spec->volumes); i++) {
		if (!volume_is_disk(json_array_get(spec->volumes, i)))
			return err_set(err, EINVAL,
				"the monitor %s shares no folders: give it a disk (/dev/vda), or "
				"use uvmm",
				spec->shell.ops->name);
	}
	r = volume_files_open(&files, spec->volumes, core->config.volume_root, err);
	if (r == 0)
		volume_files_close(&files);
	return r < 0 ? -EINVAL : 0;
}

static int check_kernel(const struct core *core, const struct shell_spec *shell, struct err *err)
{
	char path[PATH_MAX];

	if (!shell->ops->has_kernel)
		return err_set(err, EINVAL, "the monitor %s boots no kernel", shell->ops->name);
	if (kernel_path(core->kernels, shell->kernel, path) < 0)
		return err_set(err, EINVAL, "there is no kernel \"%s\" (GET /kernel lists them)",
			shell->kernel);
	return 0;
}

static int check(const struct core *core, const struct run_spec *spec, struct err *err)
{
	const struct monitor_ops *ops = spec->shell.ops;

	if (spec->shell.vcpus > ops->vcpus_max)
		return err_set(err, EINVAL, "the monitor %s gives a VM %u vCPU at most", ops->name,
			ops->vcpus_max);
	if (!image_path(spec->image) && ops != &monitor_process)
		return err_set(err, EINVAL,
			"the image %s is a record without a file, only the monitor \"process\" can "
			"run it",
			spec->image->name);
	if (spec->vsock.wanted && ops != &monitor_uvmm)
		return err_set(err, EINVAL,
			"the monitor %s has no vsock (QEMU's would need the vhost_vsock module): "
			"use "
			"uvmm",
			ops->name);
	if (spec->shell.kernel[0] && check_kernel(core, &spec->shell, err) < 0)
		return -EINVAL;
	if (cgroups_can(core->cgroups, &spec->limits, err) < 0)
		return -EINVAL;
	return check_volumes(core, spec, err);
}

/* What is the same for both: what boots and what goes on from a snapshot. */
static void take_common(const struct run_request *q, struct run_spec *spec)
{
	*spec = (struct run_spec){.name = q->name,
		.labels = q->labels,
		.port_count = q->port_count,
		.auto_remove = q->auto_remove,
		.network = q->network,
		.restart = q->restart,
		.health = q->health,
		.ttl_s = q->ttl_s,
		.limits = q->limits};
	memcpy(spec->ports, q->ports, q->port_count * sizeof(q->ports[0]));
}

static int make_from(
	struct core *core, const struct run_request *q, struct run_spec *spec, struct err *err)
{
	const struct snapshot *from;
	int r = snapshots_get(core->snapshots, q->from, &from, err);

	if (r < 0)
		return r;
	take_common(q, spec);
	spec->from = from;
	spec->image = snapshot_image(from);
	spec->shell = (struct shell_spec){.ops = &monitor_uvmm,
		.vcpus = 1,
		.ip = q->ip,
		.memory_mib = snapshot_memory_mib(from)};
	memcpy(spec->shell.mac, q->mac, sizeof(q->mac));
	return cgroups_can(core->cgroups, &spec->limits, err) < 0 ? -EINVAL : 0;
}

int run_spec_make(
	struct core *core, const struct run_request *q, struct run_spec *spec, struct err *err)
{
	struct image *image;
	unsigned memory;
	int r;

	if (q->from)
		return make_from(core, q, spec, err);
	r = images_resolve(core->images, q->image_name, false, &image);

	if (r == -EEXIST)
		return err_set(err, EEXIST, "several images have the digest \"%.80s\": use a name",
			q->image_name);
	if (r < 0)
		return err_set(err, ENOENT, "there is no image \"%.240s\" (GET /image lists them)",
			q->image_name);
	memory = q->memory_mib ? q->memory_mib : image_config_memory_mib(image->config);
	take_common(q, spec);
	spec->image = image;
	spec->argv = q->argv;
	spec->env = q->env;
	spec->volumes = q->volumes;
	spec->vsock = q->vsock;
	spec->trace = q->trace;
	spec->shell = (struct shell_spec){.ops = core->monitor,
		.vcpus = q->vcpus,
		.more_will_do = !q->memory_mib,
		.ip = q->ip,
		.memory_mib =
			memory ? memory : pools_find(core->pools, POOL_DEFAULT)->set.memory_mib};
	memcpy(spec->shell.mac, q->mac, sizeof(q->mac));
	snprintf(spec->shell.kernel, sizeof(spec->shell.kernel), "%s", q->kernel ? q->kernel : "");
	if (q->monitor && monitor_choose(core, q->monitor, &spec->shell.ops, err) < 0)
		return -EINVAL;
	return check(core, spec, err);
}
