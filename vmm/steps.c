/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/steps.h"

#include "abi/identity.h"
#include "abi/platform.h"
#include "lib/loop.h"
#include "vmm/arch/x86_64/cpu.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

static const char *const monitor_steps[VM_STEPS] = {
	[VM_STEP_PARSED] = "parsed",
	[VM_STEP_IMAGE] = "image mapped",
	[VM_STEP_IDENTITY] = "identity",
	[VM_STEP_SANDBOX] = "sandbox",
	[VM_STEP_RELEASED] = "released",
};

static const char *const libos_steps[UIG_STEPS_MAX] = {
	[UIG_STEP_ENTERED] = "entered",
	[UIG_STEP_MEMORY] = "memory",
	[UIG_STEP_CONSOLE] = "console",
	[UIG_STEP_IMAGE] = "file system",
	[UIG_STEP_ARGS] = "arguments",
	[UIG_STEP_NETWORK] = "network",
	[UIG_STEP_FILES] = "files",
	[UIG_STEP_LOADED] = "program loaded",
	[UIG_STEP_THAWED] = "entropy, clocks",
	[UIG_STEP_NAMES] = "names",
	[UIG_STEP_ADDRESS] = "addresses",
	[UIG_STEP_LISTEN] = "listen",
	[UIG_STEP_FRAME] = "first frame in",
	[UIG_STEP_SENT] = "first answer out",
};

static const char *const milestones[VM_MILESTONES] = {
	[UIG_MS_PROGRAM] = "program begins",
	[UIG_MS_LISTEN] = "listen told",
};

static void add(json_t *list, const struct vm *vm, const char *name, const char *by, uint64_t ns,
	json_int_t exits)
{
	uint64_t from = stat_get(&vm->times.request_ns);

	if (!name || ns < from)
		return;
	json_array_append_new(list,
		json_pack("{s:s, s:s, s:f, s:o*}", "step", name, "by", by, "us",
			(double)(ns - from) / 1000, "exits",
			exits < 0 ? NULL : json_integer(exits)));
}

/* The guest's TSC is the host's. What lies before the request or after now is the guest's invention. */
static void add_libos(json_t *list, const struct vm *vm)
{
	uint64_t now_ns = (uint64_t)loop_now_ns(), now = cpu_tsc();

	for (unsigned i = 0; i < UIG_STEPS_MAX; i++) {
		uint64_t tsc = stat_get(&vm->identity->step_tsc[i]);
		unsigned __int128 ago;

		if (!tsc || tsc > now || !vm->tsc_khz)
			continue;
		ago = (unsigned __int128)(now - tsc) * 1000000 / vm->tsc_khz;
		if (ago < now_ns)
			add(list, vm, libos_steps[i], "libos", now_ns - (uint64_t)ago, -1);
	}
}

json_t *steps_json(const struct vm *vm)
{
	const struct vm_times *t = &vm->times;
	json_t *list = json_array();

	if (!list || !stat_get(&t->request_ns))
		return list;
	for (unsigned i = 0; i < VM_STEPS; i++)
		add(list, vm, monitor_steps[i], "monitor", stat_get(&t->step_ns[i]), -1);
	add(list, vm, "vCPU enters", "monitor", stat_get(&t->run_ns), -1);
	for (unsigned i = 0; i < VM_MILESTONES; i++)
		add(list, vm, milestones[i], "monitor", stat_get(&t->milestone_ns[i]),
			(json_int_t)stat_get(&t->milestone_exits[i]));
	if (vm->identity)
		add_libos(list, vm);
	return list;
}
