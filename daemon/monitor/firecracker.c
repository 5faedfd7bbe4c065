/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firecracker (1.7 and later), as it is installed: the libOS boots by PVH on its standard machine, the image is its initrd.
 *
 *   prepare: a tap that it opens by its name, the process, its socket (which it makes itself, so that it is asked until it answers),
 *            /machine-config, /network-interfaces    start: /boot-source, /drives, /actions InstanceStart
 *
 * Facts: Firecracker's API, docs/getting-started and src/firecracker/swagger. Its console is its standard output. How the program ended the libOS
 * says in its last line there, as with QEMU. To stop it is asked by Ctrl-Alt-Del, which the libOS does not hear on Firecracker's own keyboard
 * controller: such an instance ends when its time to stop is over. It runs as root in the namespace of the instances: no jailer.
 */
#include "daemon/console.h"
#include "daemon/core.h"
#include "daemon/monitor/boot_line.h"
#include "daemon/monitor/exit_line.h"
#include "daemon/monitor/monitor.h"
#include "daemon/monitor/tsc.h"
#include "daemon/monitor/vmm_api.h"
#include "daemon/spawn.h"
#include "daemon/volume.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define SOCKET_NAME     "fc.sock"
#define CALL_TIMEOUT_MS 30000
#define AGAIN_NS        (2 * NS_PER_MS)
#define BOOT_ARGS_MAX   1900 /* of 2048 bytes: it adds its devices, some 40 bytes each */

struct firecracker {
	char *socket;
	struct httpc_call *call;
	struct loop_timer *timer;
	int64_t deadline_ns; /* until it has to answer */
	json_t *steps;       /* [[target, body]], to be PUT one after the other; owned */
	size_t next;
	char *body;                                                  /* of the one under way */
	void (*over)(struct shell *shell, const struct err *failed); /* of the steps */
	struct volume_files volumes;                                 /* until it has opened them */
};

static int probe(const struct core *core, struct err *err)
{
	tsc_begin();
	if (access(core->config.firecracker, X_OK) < 0)
		return err_sys(err, errno,
			"cannot run %s (install Firecracker, and say where it is: uigniterd "
			"--firecracker-path)",
			core->config.firecracker);
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return err_sys(err, errno, "/dev/kvm can not be used");
	if (access(core->config.libos, R_OK) < 0)
		return err_sys(err, errno, "cannot read %s (see --libos)", core->config.libos);
	return 0;
}

/* --- one PUT after the other -------------------------------------------------------------------------------------- */
static void forget_steps(struct firecracker *f)
{
	json_decref(f->steps);
	free(f->body);
	f->steps = NULL;
	f->body = NULL;
	f->next = 0;
}

static void over(struct shell *s, const struct err *failed)
{
	struct firecracker *f = s->priv;

	forget_steps(f);
	f->over(s, failed);
}

static void go_on(struct shell *s);

static void answered(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct firecracker *f = s->priv;
	struct err err = {0};

	f->call = NULL;
	if (vmm_is_good(response)) {
		go_on(s);
		return;
	}
	vmm_fault(response, &err);
	over(s, &err);
}

static void go_on(struct shell *s)
{
	struct firecracker *f = s->priv;
	const json_t *step = json_array_get(f->steps, f->next++);
	const char *target = json_string_value(json_array_get(step, 0));
	struct err err = {0};
	int r;

	if (!step) {
		over(s, NULL);
		return;
	}
	free(f->body);
	f->body = json_dumps(json_array_get(step, 1), JSON_COMPACT);
	r = f->body && target ? vmm_request(s, f->socket, "PUT", target, f->body, CALL_TIMEOUT_MS,
					answered, &f->call)
			      : -ENOMEM;
	if (r < 0) {
		err_sys(&err, -r, "cannot ask Firecracker");
		over(s, &err);
	}
}

/* Takes the body. */
static int add_step(json_t *steps, const char *target, json_t *body)
{
	return body && json_array_append_new(steps, json_pack("[s, o]", target, body)) == 0
		? 0
		: -ENOMEM;
}

/* --- until it is ready -------------------------------------------------------------------------------------------- */
static void prepared(struct shell *s, const struct err *failed)
{
	if (!failed) {
		shell_prepared(s);
		return;
	}
	log_warn("a monitor did not get ready", "vm=%s error=\"%s\"", s->lease.name, failed->msg);
	shell_kill(s);
}

static int machine(const struct shell *s, json_t **out)
{
	char mac[MAC_TEXT_BYTES];
	json_t *steps = json_array();
	int r;

	mac_format(s->lease.mac, mac);
	r = add_step(steps, "/machine-config",
		json_pack("{s:i, s:i}", "vcpu_count", (int)s->spec.vcpus, "mem_size_mib",
			(int)s->spec.memory_mib));
	if (r == 0)
		r = add_step(steps, "/network-interfaces/eth0",
			json_pack("{s:s, s:s, s:s}", "iface_id", "eth0", "host_dev_name",
				s->lease.name, "guest_mac", mac));
	*out = steps;
	return r;
}

static void ask(void *arg);

/* It makes its socket when it likes. */
static void is_there(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct firecracker *f = s->priv;
	struct err err = {0};

	f->call = NULL;
	if (vmm_is_good(response)) {
		f->over = prepared;
		if (machine(s, &f->steps) == 0)
			go_on(s);
		else
			over(s, &(struct err){.code = ENOMEM, .msg = "no memory"});
	} else if (!response->status && loop_now_ns() < f->deadline_ns) {
		loop_timer_set(f->timer, AGAIN_NS);
	} else {
		vmm_fault(response, &err);
		prepared(s, &err);
	}
}

static void ask(void *arg)
{
	struct shell *s = arg;
	struct firecracker *f = s->priv;
	struct err err = {0};
	int r = vmm_request(s, f->socket, "GET", "/", NULL, CALL_TIMEOUT_MS, is_there, &f->call);

	if (r == 0)
		return;
	err_sys(&err, -r, "cannot ask Firecracker");
	prepared(s, &err);
}

static int make_priv(struct shell *s, struct err *err)
{
	struct firecracker *f = calloc(1, sizeof(*f));

	if (!f)
		return err_sys(err, ENOMEM, "VM");
	s->priv = f;
	f->socket = shell_path(s, SOCKET_NAME);
	if (!f->socket || loop_timer_new(s->core->loop, ask, s, &f->timer) < 0)
		return err_sys(err, ENOMEM, "VM");
	return 0;
}

static int prepare(struct shell *s, struct err *err)
{
	const struct config *c = &s->core->config;
	int r = make_priv(s, err);
	struct firecracker *f = s->priv;
	const char *argv[] = {"firecracker", "--id", s->lease.name, "--api-sock", NULL, NULL};
	char *env[] = {NULL};

	r = r < 0 ? r : lease_tap_named(s->core->network, &s->lease, err);
	if (r < 0)
		return r;
	argv[4] = f->socket;
	r = shell_spawn(s,
		&(struct spawn){.path = c->firecracker,
			.argv = (char *const *)(uintptr_t)argv,
			.envp = env,
			.netns = network_namespace(s->core->network)},
		err);
	if (r < 0)
		return r;
	f->deadline_ns = loop_now_ns() + c->prepare_timeout_s * NS_PER_S;
	ask(s);
	return 0;
}

/* --- the start ---------------------------------------------------------------------------------------------------- */
static void started(struct shell *s, const struct err *failed)
{
	struct firecracker *f = s->priv;

	volume_files_close(&f->volumes);
	shell_started(s, failed);
}

static int add_drives(json_t *steps, const json_t *volumes, const struct volume_files *files)
{
	const json_t *volume;
	size_t i;
	int r = 0;

	json_array_foreach(volumes, i, volume)
	{
		char tag[VOLUME_TAG_BYTES], target[VOLUME_TAG_BYTES + 16];

		volume_tag((unsigned)i, tag);
		snprintf(target, sizeof(target), "/drives/%s", tag);
		r = add_step(steps, target,
			json_pack("{s:s, s:b, s:s, s:b, s:s}", "drive_id", tag, "is_root_device", 0,
				"path_on_host", files->path[i], "is_read_only",
				(int)volume_is_read_only(volume), "cache_type", "Writeback"));
		if (r < 0)
			break;
	}
	return r;
}

static int start_steps(const struct shell *s, const struct start_spec *spec, const char *kernel,
	const char *boot_args, json_t **out)
{
	const struct firecracker *f = s->priv;
	json_t *steps = json_array();
	int r = add_step(steps, "/boot-source",
		json_pack("{s:s, s:s, s:s}", "kernel_image_path", kernel, "initrd_path",
			spec->image, "boot_args", boot_args));

	*out = steps;
	r = r < 0 ? r : add_drives(steps, spec->volumes, &f->volumes);
	return r < 0
		? r
		: add_step(steps, "/actions", json_pack("{s:s}", "action_type", "InstanceStart"));
}

static int start(struct shell *s, const struct start_spec *spec, struct err *err)
{
	struct firecracker *f = s->priv;
	_cleanup_buf_ struct buf line;
	char kernel[PATH_MAX];
	int r;

	buf_init(&line, 0);
	r = boot_line_std(s, spec, &line, err);
	if (r < 0)
		return r;
	if (line.len > BOOT_ARGS_MAX)
		return err_set(err, E2BIG,
			"arguments and environment are longer than the %d bytes that Firecracker "
			"takes: use uvmm",
			BOOT_ARGS_MAX);
	if (kernel_path(s->core->kernels, s->spec.kernel, kernel) < 0)
		return err_set(err, ENOENT, "there is no kernel %s any more", s->spec.kernel);
	r = volume_files_open(&f->volumes, spec->volumes, s->core->config.volume_root, err);
	if (r < 0)
		return r;
	f->over = started;
	if (start_steps(s, spec, kernel, line.data, &f->steps) < 0)
		return err_set(err, EINVAL, "arguments or environment are not UTF-8");
	go_on(s);
	return 0;
}

/* --- later -------------------------------------------------------------------------------------------------------- */
static void asked(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct firecracker *f = s->priv;
	struct err err = {0};

	f->call = NULL;
	if (vmm_is_good(response))
		return;
	vmm_fault(response, &err);
	log_warn("Firecracker does not take a command", "vm=%s error=\"%s\"", s->lease.name,
		err.msg);
}

static void stop(struct shell *s)
{
	static const char body[] = "{\"action_type\":\"SendCtrlAltDel\"}";
	struct firecracker *f = s->priv;

	if (!f->call &&
		vmm_request(s, f->socket, "PUT", "/actions", body, CALL_TIMEOUT_MS, asked,
			&f->call) < 0)
		log_warn("Firecracker can not be asked to stop", "vm=%s", s->lease.name);
}

static void release(struct shell *s)
{
	struct firecracker *f = s->priv;

	if (f->call)
		httpc_cancel(f->call);
	loop_timer_free(f->timer);
	forget_steps(f);
	volume_files_close(&f->volumes);
	lease_tap_remove(s->core->network, &s->lease);
	free(f->socket);
	free(f);
	s->priv = NULL;
}

static void ended(struct shell *s, int how, int status)
{
	exit_line_take(s, "Firecracker", how, status);
}

const struct monitor_ops monitor_firecracker = {
	.name = "firecracker",
	.vcpus_max = 1,
	.has_kernel = true,
	.no_folders = true,
	.overhead_mib = 64,
	.probe = probe,
	.prepare = prepare,
	.start = start,
	.adopt = make_priv,
	.stop = stop,
	.ended = ended,
	.release = release,
};
