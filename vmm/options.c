/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/options.h"

#include "lib/err.h"
#include "lib/jsonx.h"
#include "vmm/arch/x86_64/boot_std.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/virtio/console.h"
#include "vmm/virtio/net.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define GRACE_DEFAULT_MS 10000

enum option_id {
	OPT_API_SOCK,
	OPT_API_FD,
	OPT_FILES_FD,
	OPT_ID,
	OPT_CONFIG_FILE,
	OPT_NO_API,
	OPT_LIBOS,
	OPT_BARE,
	OPT_BOOT,
	OPT_IMAGE,
	OPT_ARGS,
	OPT_WORKSET,
	OPT_START,
	OPT_MEM_MIB,
	OPT_VCPUS,
	OPT_WINDOW_MIB,
	OPT_HUGE_PAGES,
	OPT_TAP,
	OPT_TAP_FD,
	OPT_MAC,
	OPT_MTU,
	OPT_DRIVE,
	OPT_RNG,
	OPT_VOLUME,
	OPT_VSOCK,
	OPT_CONSOLE,
	OPT_CONSOLE_MAX,
	OPT_REPORT,
	OPT_REPORT_FD,
	OPT_GRACE_MS,
	OPT_SANDBOX,
	OPT_LOG_LEVEL,
	OPT_VERIFY_SNAPSHOT,
	OPT_SEAL_SNAPSHOT,
	OPT_VERSION,
	OPT_HELP,
	OPT_COUNT,
};

static const struct option_def {
	const char *name, *arg, *help; /* arg NULL: a switch */
} defs[OPT_COUNT] = {
	[OPT_API_SOCK] = {"api-sock", "PATH", "make and serve the API on this Unix socket"},
	[OPT_API_FD] = {"api-fd", "N", "serve the API on this inherited listening socket"},
	[OPT_FILES_FD] = {"files-fd", "N",
		"files for snapshots are passed to this inherited datagram socket"},
	[OPT_ID] = {"id", "ID", "name of the VM in answers, reports and logs"},
	[OPT_CONFIG_FILE] = {"config-file", "FILE",
		"read the configuration (Firecracker's JSON) and start"},
	[OPT_NO_API] = {"no-api", NULL, "serve no API; start at once"},
	[OPT_LIBOS] = {"libos", "FILE",
		"libos.elf; a shell is prepared from it before the first request"},
	[OPT_BARE] = {"bare", NULL,
		"prepare no shell: a snapshot will be loaded, and the machine made as it needs it"},
	[OPT_BOOT] = {"boot", "KIND",
		"auto (by the kernel's notes), libos, pvh or linux: how the kernel of --libos is "
		"entered"},
	[OPT_IMAGE] = {"image", "FILE", "EROFS image; initrd of a kernel"},
	[OPT_ARGS] = {"args", "LINE", "arguments of the instance (abi/identity.h)"},
	[OPT_WORKSET] = {"working-set", "FILE",
		"pages that a start needs: read, or recorded when it is not there"},
	[OPT_START] = {"start", NULL, "start at once"},
	[OPT_MEM_MIB] = {"mem-mib", "N", "memory of the guest (128)"},
	[OPT_VCPUS] = {"vcpus", "1", "number of vCPUs; there is one"},
	[OPT_WINDOW_MIB] = {"image-window-mib", "N",
		"largest image that is mapped without delay (64)"},
	[OPT_HUGE_PAGES] = {"huge-pages", NULL,
		"back the guest's memory with transparent huge pages"},
	[OPT_TAP] = {"tap", "NAME", "network interface: this tap"},
	[OPT_TAP_FD] = {"tap-fd", "N", "network interface: this inherited tap"},
	[OPT_MAC] = {"mac", "MAC", "its address in the guest (random)"},
	[OPT_MTU] = {"mtu", "N", "its MTU (1500)"},
	[OPT_DRIVE] = {"drive", "FILE[:ro]",
		"block device: this file; more than once: vda, vdb, ..."},
	[OPT_VOLUME] = {"volume", "TAG=FOLDER[:ro]",
		"share this folder; mount=TAG:PLACE in --args puts it into the tree"},
	[OPT_VSOCK] = {"vsock", "CID:PATH",
		"sockets between guest and host: make this Unix socket for the host's side"},
	[OPT_RNG] = {"rng", NULL, "a virtio-rng device"},
	[OPT_CONSOLE] = {"console", "FILE", "append the guest's output to it (standard output)"},
	[OPT_CONSOLE_MAX] = {"console-max-bytes", "N",
		"cut the guest's output after this (16777216)"},
	[OPT_REPORT] = {"report", "FILE", "write the exit report to it"},
	[OPT_REPORT_FD] = {"report-fd", "N", "write the exit report to this descriptor"},
	[OPT_GRACE_MS] = {"grace-ms", "N", "time that the guest has to end after SIGTERM (10000)"},
	[OPT_SANDBOX] = {"sandbox", "UID:GID:FOLDER",
		"before the guest runs: become this user, with this empty folder as root"},
	[OPT_LOG_LEVEL] = {"log-level", "LEVEL", "debug, info, warn, error (warn)"},
	[OPT_VERIFY_SNAPSHOT] = {"verify-snapshot", "STATE:MEMORY",
		"check the two files of a snapshot, digests included, and end"},
	[OPT_SEAL_SNAPSHOT] = {"seal-snapshot", "STATE:MEMORY",
		"the same when both have been written through to the disk"},
	[OPT_VERSION] = {"version", NULL, "print the version"},
	[OPT_HELP] = {"help", NULL, "print this"},
};

void options_help(void)
{
	printf("uvmm %s: a virtual machine monitor for one libOS\n\nusage: uvmm [options]\n\n",
		UIGNITER_VERSION);
	for (unsigned i = 0; i < OPT_COUNT; i++) {
		char name[40];

		snprintf(name, sizeof(name), "--%s%s%s", defs[i].name, defs[i].arg ? " " : "",
			defs[i].arg ? defs[i].arg : "");
		printf("  %-26s %s\n", name, defs[i].help);
	}
}

bool options_row(size_t i, struct options_row *row)
{
	if (i >= OPT_COUNT)
		return false;
	*row = (struct options_row){defs[i].name, defs[i].arg, defs[i].help};
	return true;
}

static int number(
	const char *name, const char *text, int64_t min, int64_t max, int64_t *out, struct err *err)
{
	char *end = NULL;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return err_set(err, EINVAL, "--%s %s: not a number from %lld to %lld", name, text,
			(long long)min, (long long)max);
	*out = value;
	return 0;
}

static int set_number(struct options *o, enum option_id id, const char *text, struct err *err)
{
	static const struct {
		int64_t min, max;
	} limits[OPT_COUNT] = {
		[OPT_API_FD] = {0, INT_MAX},
		[OPT_FILES_FD] = {0, INT_MAX},
		[OPT_MEM_MIB] = {CONFIG_MEM_MIB_MIN, 1024 * 1024},
		[OPT_VCPUS] = {1, 1},
		[OPT_WINDOW_MIB] = {2, 4096},
		[OPT_TAP_FD] = {0, INT_MAX},
		[OPT_MTU] = {NET_MTU_MIN, NET_MTU_MAX},
		[OPT_CONSOLE_MAX] = {0, INT64_MAX},
		[OPT_REPORT_FD] = {0, INT_MAX},
		[OPT_GRACE_MS] = {0, INT_MAX},
	};
	int64_t n = 0;
	int r = number(defs[id].name, text, limits[id].min, limits[id].max, &n, err);

	if (r < 0)
		return r;
	if (id == OPT_API_FD)
		o->api_fd = (int)n;
	else if (id == OPT_FILES_FD)
		o->config.snapshot.files_fd = (int)n;
	else if (id == OPT_MEM_MIB)
		o->config.mem_mib = (uint32_t)n;
	else if (id == OPT_WINDOW_MIB)
		o->config.window_mib = (uint32_t)(n + 1) & ~1u; /* whole large pages */
	else if (id == OPT_TAP_FD)
		o->config.tap_fd = (int)n;
	else if (id == OPT_MTU)
		o->config.mtu = (uint16_t)n;
	else if (id == OPT_CONSOLE_MAX)
		o->console_max_bytes = (uint64_t)n;
	else if (id == OPT_REPORT_FD)
		o->report_fd = (int)n;
	else if (id == OPT_GRACE_MS)
		o->grace_ms = n;
	return 0;
}

static int set_libos(struct options *o, const char *path)
{
	o->prepare = true;
	return config_set(&o->config.libos, path);
}

static int set_boot(struct options *o, const char *text, struct err *err)
{
	for (unsigned i = 0; boot_kind_names[i]; i++) {
		if (strcmp(boot_kind_names[i], text) == 0) {
			o->config.boot = i;
			return 0;
		}
	}
	return err_set(err, EINVAL, "--boot %s: auto, libos, pvh or linux", text);
}

static int set_mac(struct options *o, const char *text, struct err *err)
{
	o->config.have_mac = true;
	return config_parse_mac(text, o->config.mac) < 0
		? err_set(err, EINVAL, "--mac %s: not a MAC address", text)
		: 0;
}

static int add_drive(struct options *o, const char *text, struct err *err)
{
	size_t n = strlen(text);
	bool ro = n > 3 && strcmp(text + n - 3, ":ro") == 0;
	char id[16];
	_cleanup_json_ json_t *body = NULL;

	snprintf(id, sizeof(id), "drive%u", o->config.ndrives);
	body = json_pack("{s:s, s:b, s:s%, s:b, s:s}", "drive_id", id, "is_root_device", 0,
		"path_on_host", text, ro ? n - 3 : n, "is_read_only", ro, "cache_type",
		"Writeback");
	return body ? config_drive(&o->config, NULL, body, err)
		    : err_set(err, EINVAL, "--drive %s", text);
}

static int set_sandbox(const char *text, struct err *err)
{
	unsigned uid, gid;
	int at = 0;

	if (sscanf(text, "%u:%u:%n", &uid, &gid, &at) != 2 || !at || !text[at])
		return err_set(err, EINVAL, "--sandbox %s: not UID:GID:FOLDER", text);
	return sandbox_prepare(uid, gid, text + at, err);
}

static int set_option(struct options *o, enum option_id id, const char *value, struct err *err)
{
	switch (id) {
	case OPT_API_SOCK:
		o->api_sock = value;
		return 0;
	case OPT_ID:
		o->id = value;
		return 0;
	case OPT_CONFIG_FILE:
		o->start = true;
		return config_load_file(&o->config, value, err);
	case OPT_NO_API:
		o->no_api = o->start = true;
		return 0;
	case OPT_LIBOS:
		return set_libos(o, value);
	case OPT_BARE:
		o->bare = true;
		return 0;
	case OPT_BOOT:
		return set_boot(o, value, err);
	case OPT_IMAGE:
		return config_set(&o->config.image, value);
	case OPT_ARGS:
		return config_set(&o->config.args, value);
	case OPT_WORKSET:
		return config_set(&o->config.workset, value);
	case OPT_START:
		o->start = true;
		return 0;
	case OPT_HUGE_PAGES:
		o->config.huge_pages = true;
		return 0;
	case OPT_TAP:
		return config_set(&o->config.tap, value);
	case OPT_MAC:
		return set_mac(o, value, err);
	case OPT_RNG:
		o->config.rng = true;
		return 0;
	case OPT_DRIVE:
		return add_drive(o, value, err);
	case OPT_VOLUME:
		return config_volume_option(&o->config, value, err);
	case OPT_VSOCK:
		return config_vsock_option(&o->config, value, err);
	case OPT_CONSOLE:
		o->console = value;
		return 0;
	case OPT_REPORT:
		o->report = value;
		return 0;
	case OPT_SANDBOX:
		return set_sandbox(value, err);
	case OPT_LOG_LEVEL:
		return log_level_parse(value, &o->log_level) < 0
			? err_set(err, EINVAL, "--log-level %s", value)
			: 0;
	case OPT_VERIFY_SNAPSHOT:
		o->verify = value;
		return 0;
	case OPT_SEAL_SNAPSHOT:
		o->verify = value;
		o->seal = true;
		return 0;
	case OPT_VERSION:
		o->version = true;
		return 0;
	case OPT_HELP:
		o->help = true;
		return 0;
	case OPT_API_FD:
	case OPT_FILES_FD:
	case OPT_MEM_MIB:
	case OPT_VCPUS:
	case OPT_WINDOW_MIB:
	case OPT_TAP_FD:
	case OPT_MTU:
	case OPT_CONSOLE_MAX:
	case OPT_REPORT_FD:
	case OPT_GRACE_MS:
		return set_number(o, id, value, err);
	case OPT_COUNT:
		break;
	}
	return err_set(err, EINVAL, "unknown option");
}

static int find_option(const char *arg, struct err *err)
{
	for (int i = 0; strncmp(arg, "--", 2) == 0 && i < OPT_COUNT; i++) {
		if (strcmp(defs[i].name, arg + 2) == 0)
			return i;
	}
	return err_set(err, EINVAL, "%s: unknown option (see --help)", arg);
}

int options_parse(int argc, char **argv, struct options *o, struct err *err)
{
	*o = (struct options){
		.id = "anonymous-instance",
		.api_fd = -1,
		.report_fd = -1,
		.console_max_bytes = CONSOLE_MAX_BYTES,
		.grace_ms = GRACE_DEFAULT_MS,
		.log_level = LOG_WARN,
	};
	config_init(&o->config);
	for (int i = 1; i < argc; i++) {
		int id = find_option(argv[i], err), r;
		const char *value = "";

		if (id < 0)
			return id;
		if (defs[id].arg && ++i == argc)
			return err_set(err, EINVAL, "--%s wants %s", defs[id].name, defs[id].arg);
		if (defs[id].arg)
			value = argv[i];
		r = set_option(o, (enum option_id)id, value, err);
		if (r < 0)
			return err && err->code ? r : err_sys(err, -r, "--%s", defs[id].name);
	}
	if (!o->help && !o->version && !o->verify && !o->no_api && !o->api_sock && o->api_fd < 0)
		return err_set(err, EINVAL,
			"one of --api-sock, --api-fd, --no-api is needed (see --help)");
	return 0;
}
