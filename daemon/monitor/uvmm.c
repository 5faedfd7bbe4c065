/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own monitor. prepare: the process with its tap and a listening socket that it inherits (so nobody polls for it);
 * its first answer on it says that the VM stands. start: one PUT on the connection that was kept. The end of the
 * process is the end of the VM; why it ended stands in its exit report.
 */
#include "daemon/core.h"
#include "daemon/monitor/args.h"
#include "daemon/monitor/reports.h"
#include "daemon/monitor/trace.h"
#include "daemon/monitor/uvmm_impl.h"
#include "daemon/monitor/vmm_api.h"
#include "daemon/reap.h"
#include "daemon/spawn.h"
#include "daemon/vsock.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define SOCKET_NAME "api.sock"
#define REPORT_NAME "exit.json"
#define SETTLE_MS   3000 /* for what a program does behind its listen(), before it is frozen */
#define LATER_MS    1000 /* of a shell that the pool prepares, the pool knows first */
#define BACKLOG     8

static int probe(const struct core *core, struct err *err)
{
	if (access("/dev/kvm", F_OK) < 0)
		return err_set(err, ENOENT,
			"there is no /dev/kvm: load the kvm module, or use --monitor qemu");
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return err_sys(err, errno, "/dev/kvm can not be used");
	if (access(core->config.uvmm, X_OK) < 0)
		return err_sys(err, errno, "cannot run %s (see --uvmm)", core->config.uvmm);
	if (access(core->config.libos, R_OK) < 0)
		return err_sys(err, errno, "cannot read %s (see --libos)", core->config.libos);
	return 0;
}

static int listen_socket(const char *path, struct err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(path);

	if (len >= sizeof(at.sun_path))
		return err_set(err, ENAMETOOLONG,
			"%s is too long for a socket: choose a shorter --run-dir", path);
	memcpy(at.sun_path, path, len + 1);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(err, errno, "cannot make the socket %s", path);
	return steal_fd(&fd);
}

int uvmm_request(struct shell *s, const char *method, const char *target, const char *body,
	unsigned timeout_ms, void (*done)(void *arg, const struct httpc_response *response),
	struct httpc_call **call)
{
	struct uvmm *u = s->priv;

	return vmm_request(s, u->socket, method, target, body, timeout_ms, done, call);
}

static void prepared(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;

	u->call = NULL;
	if (response->status == 200 || response->status == 204) {
		uvmm_watch_report(s, false);
		shell_prepared(s);
		return;
	}
	log_warn("a monitor did not get ready", "vm=%s status=%d error=\"%s\"", s->lease.name,
		response->status, response->error);
	shell_kill(s);
}

/* The console's files are bounded here, for as long as the VM writes (console_file.h): its monitor cuts nothing. */
#define NO_LIMIT "9223372036854775807"

static int spawn_uvmm(struct shell *s, int tap, int api, int files, struct err *err)
{
	const struct config *config = &s->core->config;
	struct uvmm *u = s->priv;
	char kernel[PATH_MAX], mac[MAC_TEXT_BYTES], memory[16], vcpus[16], window[16],
		sandbox[4200] = "";
	const char *argv[] = {"uvmm", "--id", s->lease.name, "--api-fd", "3", "--tap-fd", "4",
		"--files-fd", "5", "--mac", mac, "--libos", kernel, "--mem-mib", memory, "--vcpus",
		vcpus, "--report", u->report, "--working-set", u->working_set,
		"--console-max-bytes", NO_LIMIT, NULL, NULL, NULL, NULL, NULL, NULL};
	size_t n = ARRAY_SIZE(argv) - 6;
	char *env[] = {NULL};
	struct spawn spawn = {.path = config->uvmm,
		.argv = (char *const *)(uintptr_t)argv,
		.envp = env,
		.fds = {api, tap, files},
		.fd_count = 3,
		.netns = -1};

	if (kernel_path(s->core->kernels, s->spec.kernel, kernel) < 0)
		return err_set(err, ENOENT, "there is no kernel %s any more", s->spec.kernel);
	mac_format(s->lease.mac, mac);
	snprintf(memory, sizeof(memory), "%u", s->spec.memory_mib);
	snprintf(vcpus, sizeof(vcpus), "%u", s->spec.vcpus);
	if (s->spec.window_mib) {
		snprintf(window, sizeof(window), "%u", s->spec.window_mib);
		argv[n++] = "--image-window-mib";
		argv[n++] = window;
	}
	if (s->spec.frozen)
		argv[n++] = "--bare";
	if (config->monitor_uid) {
		unsigned id = config->monitor_uid + s->lease.index;

		snprintf(sandbox, sizeof(sandbox), "%u:%u:%s/" REAP_EMPTY, id, id, config->run_dir);
		argv[n] = "--sandbox";
		argv[n + 1] = sandbox;
	}
	return shell_spawn(s, &spawn, err);
}

static int make_priv(struct shell *s, struct err *err)
{
	struct uvmm *u = calloc(1, sizeof(*u));

	if (!u)
		return err_sys(err, ENOMEM, "VM");
	s->priv = u;
	u->socket = shell_path(s, SOCKET_NAME);
	u->report = shell_path(s, REPORT_NAME);
	if (asprintf(&u->working_set, "%s/" REAP_SHARED "workset-%u%s%s", s->core->config.run_dir,
		    s->spec.memory_mib, s->spec.kernel[0] ? "-" : "", s->spec.kernel) < 0)
		u->working_set = NULL;
	return u->socket && u->report && u->working_set ? 0 : err_sys(err, ENOMEM, "VM");
}

static int adopt(struct shell *s, struct err *err)
{
	int r = make_priv(s, err);

	if (r < 0)
		return r;
	uvmm_watch_report(s, true);
	return 0;
}

static int prepare(struct shell *s, struct err *err)
{
	_cleanup_close_ int tap = -1, api = -1, files = -1;
	int r = make_priv(s, err);
	struct uvmm *u = s->priv;

	if (r < 0)
		return r;
	tap = lease_tap(s->core->network, &s->lease, err);
	if (tap < 0)
		return tap;
	api = listen_socket(u->socket, err);
	if (api < 0)
		return api;
	files = uvmm_files_socket(s, err);
	if (files < 0)
		return files;
	r = spawn_uvmm(s, tap, api, files, err);
	if (r < 0)
		return r;
	r = uvmm_request(s, "GET", "/uigniter/status", NULL,
		s->core->config.prepare_timeout_s * 1000 + LATER_MS, prepared, &u->call);
	return r < 0 ? err_sys(err, -r, "cannot ask the monitor") : 0;
}

static void started(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;
	struct err err = {0};

	u->call = NULL;
	free(u->start_body);
	u->start_body = NULL;
	volume_files_close(&u->volumes);
	if (response->status == 200 || response->status == 204) {
		shell_started(s, NULL);
		return;
	}
	vmm_fault(response, &err);
	shell_started(s, &err);
}

/* Disks are Firecracker's drives, folders our own addition. */
static void add_volumes(json_t *root, const json_t *volumes, const struct volume_files *files)
{
	json_t *drives = json_array(), *folders = json_array(), *volume;
	size_t i;

	json_array_foreach(volumes, i, volume)
	{
		int read_only = volume_is_read_only(volume);
		char tag[VOLUME_TAG_BYTES];

		volume_tag((unsigned)i, tag);
		if (volume_is_disk(volume))
			json_array_append_new(drives,
				json_pack("{s:s, s:b, s:s, s:b, s:s}", "drive_id", tag,
					"is_root_device", 0, "path_on_host", files->path[i],
					"is_read_only", read_only, "cache_type", "Writeback"));
		else
			json_array_append_new(folders,
				json_pack("{s:s, s:s, s:b}", "tag", tag, "path_on_host",
					files->path[i], "is_read_only", read_only));
	}
	if (json_array_size(drives))
		json_object_set(root, "drives", drives);
	if (json_array_size(folders))
		json_object_set(root, "volumes", folders);
	json_decref(drives);
	json_decref(folders);
}

/* Firecracker's body of /vsock, in a folder of the VM's own. */
static int add_vsock(const struct shell *s, json_t *root, uint32_t cid)
{
	_cleanup_free_ char *path = shell_path(s, VSOCK_SOCKET);

	return json_object_set_new(root, "vsock",
		json_pack("{s:I, s:s}", "guest_cid", (json_int_t)cid, "uds_path", path));
}

static char *start_body(const struct shell *s, const struct start_spec *spec,
	const struct volume_files *files, const char *boot_args)
{
	json_t *root = json_pack("{s:s*, s:s}", "image_path", s->loaded ? NULL : spec->image,
		"boot_args", boot_args);
	char *text;

	if (root && spec->freeze)
		json_object_set_new(root, "snapshot",
			json_pack("{s:s, s:s}", "snapshot_path", spec->freeze->state,
				"mem_file_path", spec->freeze->memory));

	if (root)
		add_volumes(root, spec->volumes, files);
	if (root && spec->vsock_cid)
		add_vsock(s, root, spec->vsock_cid);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	return text;
}

static int start(struct shell *s, const struct start_spec *spec, struct err *err)
{
	struct start_spec clone = *spec;
	_cleanup_buf_ struct buf line;
	struct uvmm *u = s->priv;
	int r;

	if (s->loaded) { /* it has its arguments and its environment */
		clone.argv = clone.env = NULL;
		spec = &clone;
	}

	buf_init(&line, 0);
	if (!spec->image)
		return err_set(
			err, ENOEXEC, "the image has no file, only the process monitor can run it");
	r = args_boot(s->core->network, &s->lease, spec, &line, err);
	if (r < 0)
		return r;
	r = volume_files_open(&u->volumes, spec->volumes, s->core->config.volume_root, err);
	if (r < 0)
		return r;
	if (spec->vsock_cid)
		r = vsock_make_folder(s, err);
	if (r < 0)
		return r;
	u->start_body = start_body(s, spec, &u->volumes, line.data);
	if (!u->start_body)
		return err_set(err, EINVAL, "arguments or environment are not UTF-8");
	r = uvmm_request(s, "PUT", "/uigniter/start", u->start_body, UVMM_START_TIMEOUT_MS, started,
		&u->call);
	return r < 0 ? err_sys(err, -r, "cannot ask the monitor") : 0;
}

/* --- freezing and cloning ----------------------------------------------------------------------------------------- */
static void finish(struct shell *s, const struct httpc_response *response)
{
	struct err err = {0};
	bool good = response->status == 200 || response->status == 204;

	if (!good)
		vmm_fault(response, &err);
	shell_done(s, good ? NULL : &err);
}

static void created(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;

	u->call = NULL;
	free(u->create_body);
	u->create_body = NULL;
	finish(s, response);
}

static void paused(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;
	struct err err = {0};
	int r;

	u->call = NULL;
	if (response->status != 200 && response->status != 204) {
		finish(s, response);
		return;
	}
	r = uvmm_request(s, "PUT", "/snapshot/create", u->create_body, UVMM_START_TIMEOUT_MS,
		created, &u->call);
	if (r < 0) {
		err_sys(&err, -r, "cannot ask the monitor");
		shell_done(s, &err);
	}
}

/* It has nothing to do for the first time since it listens, or is never without work: frozen now. */
static void settled(void *arg, const struct httpc_response *response)
{
	static const char pause[] = "{\"state\": \"Paused\"}";
	struct shell *s = arg;
	struct uvmm *u = s->priv;
	struct err err = {0};
	int r;

	(void)response;
	u->call = NULL;
	r = uvmm_request(s, "PATCH", "/vm", pause, UVMM_START_TIMEOUT_MS, paused, &u->call);
	if (r < 0) {
		err_sys(&err, -r, "cannot ask the monitor");
		shell_done(s, &err);
	}
}

static int freeze(
	struct shell *s, const struct frozen *to, shell_done_fn *done, void *arg, struct err *err)
{
	_cleanup_json_ json_t *body = json_pack("{s:s, s:s, s:s}", "snapshot_path", to->state,
		"mem_file_path", to->memory, "snapshot_type", "Full");
	struct uvmm *u = s->priv;
	int r;

	s->done = done;
	s->done_arg = arg;
	u->create_body = body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (!u->create_body)
		return err_sys(err, ENOMEM, "VM");
	r = uvmm_request(s, "GET", "/uigniter/wait?for=idle", NULL, SETTLE_MS, settled, &u->call);
	return r < 0 ? err_sys(err, -r, "cannot ask the monitor") : 0;
}

static void loaded(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;

	u->call = NULL;
	free(u->start_body);
	u->start_body = NULL;
	s->loaded = response->status == 200 || response->status == 204;
	finish(s, response);
}

static int load(
	struct shell *s, const struct frozen *from, shell_done_fn *done, void *arg, struct err *err)
{
	_cleanup_json_ json_t *body = json_pack("{s:s, s:{s:s, s:s}, s:b, s:s, s:s*, s:b}",
		"snapshot_path", from->state, "mem_backend", "backend_type", "File", "backend_path",
		from->memory, "resume_vm", 0, "image_path", from->image, "working_set_path",
		from->working_set, "verify", (int)from->verify);
	struct uvmm *u = s->priv;
	int r;

	s->done = done;
	s->done_arg = arg;
	u->start_body = body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (!u->start_body)
		return err_sys(err, ENOMEM, "VM");
	r = uvmm_request(
		s, "PUT", "/snapshot/load", u->start_body, UVMM_START_TIMEOUT_MS, loaded, &u->call);
	return r < 0 ? err_sys(err, -r, "cannot ask the monitor") : 0;
}

static void recorded(void *arg, const struct httpc_response *response)
{
	struct shell *s = arg;
	struct uvmm *u = s->priv;

	u->call = NULL;
	finish(s, response);
}

static int record(struct shell *s, shell_done_fn *done, void *arg, struct err *err)
{
	struct uvmm *u = s->priv;
	int r;

	s->done = done;
	s->done_arg = arg;
	r = uvmm_request(
		s, "PUT", "/uigniter/record", NULL, UVMM_START_TIMEOUT_MS, recorded, &u->call);
	return r < 0 ? err_sys(err, -r, "cannot ask the monitor") : 0;
}

static void confirmed(void *arg, const struct httpc_response *response)
{
	_cleanup_json_ json_t *root = NULL;
	struct shell *s = arg;
	struct uvmm *u = s->priv;
	const char *state = NULL;

	u->call = NULL;
	if (response->status == 200 &&
		jsonx_parse_object(response->body, response->len, 4, &root, NULL) == 0)
		state = json_string_value(json_object_get(root, "state"));
	if (state && strcmp(state, "Running") == 0)
		return;
	log_warn("a VM never got its request to start", "vm=%s state=\"%.32s\"", s->lease.name,
		state ? state : "");
	shell_kill(s);
}

static void confirm(struct shell *s)
{
	struct uvmm *u = s->priv;

	if (uvmm_request(s, "GET", "/", NULL, UVMM_START_TIMEOUT_MS, confirmed, &u->call) < 0)
		shell_kill(s);
}

static void stop(struct shell *s)
{
	shell_signal(s, SIGTERM); /* uvmm makes it the guest's term event */
}

static void listening(void *arg, const struct httpc_response *response)
{
	_cleanup_json_ json_t *root = NULL;
	struct shell *s = arg;
	struct uvmm *u = s->priv;

	u->listen_call = NULL;
	if (response->status == 200 &&
		jsonx_parse_object(response->body, response->len, 8, &root, NULL) == 0)
		trace_take(s, root);
	shell_listening(s); /* one that says nothing leaves it to the owner to find out */
}

static int watch_listen(struct shell *s)
{
	struct uvmm *u = s->priv;

	if (u->listen_call)
		return 0;
	return uvmm_request(
		s, "GET", "/uigniter/wait?for=listen", NULL, 0, listening, &u->listen_call);
}

static void ended(struct shell *s, int code, int status)
{
	struct uvmm *u = s->priv;

	httpc_cancel(u->call);
	httpc_cancel(u->listen_call);
	u->call = u->listen_call = NULL;
	uvmm_copy_forget(s);
	if ((code == CLD_EXITED || code == LOOP_NOT_CHILD) && uvmm_read_report(s) == 0)
		return;
	shell_exit_from_process(s, "the monitor", code, status);
	s->exit.end = SHELL_END_CRASH;
}

static void release(struct shell *s)
{
	struct uvmm *u = s->priv;

	httpc_cancel(u->call);
	httpc_cancel(u->listen_call);
	uvmm_copy_forget(s);
	report_forget(u->watch);
	free(u->socket);
	free(u->report);
	free(u->working_set);
	free(u->start_body);
	free(u->create_body);
	volume_files_close(&u->volumes);
	free(u);
	s->priv = NULL;
}

const struct monitor_ops monitor_uvmm = {
	.name = "uvmm",
	.vcpus_max = 1,
	.has_kernel = true,
	.overhead_mib = 64,
	.probe = probe,
	.prepare = prepare,
	.start = start,
	.adopt = adopt,
	.confirm = confirm,
	.freeze = freeze,
	.load = load,
	.record = record,
	.copy = uvmm_copy,
	.go_on = uvmm_go_on,
	.stop = stop,
	.watch_listen = watch_listen,
	.ended = ended,
	.release = release,
};
