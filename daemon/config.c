/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include "daemon/yaml_json.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>

#define CONFIG_FILE_MAX (64 * KIB)

struct option_row {
	const char *name, *value, *help;
	enum config_kind kind;
	size_t offset; /* of a char * or an unsigned in struct config */
	unsigned min, max;
};

#define AT(field) offsetof(struct config, field)
static const struct option_row options[] = {
	{"netns", "NAME", "network namespace for bridge, taps and VMs (default: this one)",
		CONFIG_STRING, AT(netns)},
	{"socket", "PATH", "Unix socket of the API (default: RUN_DIR/uigniterd.sock)",
		CONFIG_STRING, AT(socket)},
	{"listen", "ADDR:PORT|none",
		"TCP address of the API (default: 127.0.0.1:6666); off loopback with --token-file "
		"only",
		CONFIG_STRING, AT(listen)},
	{"dashboard", "ADDR:PORT|none",
		"address on loopback of a page for browsers, such as 127.0.0.1:8666 (default: "
		"none)",
		CONFIG_STRING, AT(dashboard)},
	{"token-file", "PATH",
		"file with the bearer token that callers over TCP have to show (default: none)",
		CONFIG_STRING, AT(token_file)},
	{"state-dir", "DIR", "images and logs (default: /var/lib/uigniter)", CONFIG_STRING,
		AT(state_dir)},
	{"run-dir", "DIR", "sockets and records of what runs (default: /run/uigniter)",
		CONFIG_STRING, AT(run_dir)},
	{"cgroup", "DIR",
		"folder of a cgroup v2 file system, to be made, in which VMs have their limits "
		"(default: none)",
		CONFIG_STRING, AT(cgroup)},
	{"subnet", "CIDR", "addresses of the VMs (default: 10.93.0.0/16, or the next that is free)",
		CONFIG_STRING, AT(subnet_text)},
	{"nat", "",
		"VMs reach what this namespace reaches, by its address (nftables; switches IPv4 "
		"forwarding on)",
		CONFIG_FLAG, AT(nat)},
	{"subnet6", "PREFIX/64|auto|none",
		"IPv6 addresses of the VMs (default: auto: a local prefix made from the run "
		"folder)",
		CONFIG_STRING, AT(subnet6_text)},
	{"quarantine", "SECONDS", "how long an address rests after use (default: 30)",
		CONFIG_NUMBER, AT(quarantine_s), 0, 86400},
	{"pool", "N", "VMs to keep prepared (default: 4)", CONFIG_NUMBER, AT(pool), 0,
		CONFIG_POOL_MAX},
	{"pool-memory", "MIB", "their memory, and the default of VMs (default: 128)", CONFIG_NUMBER,
		AT(pool_memory_mib), CONFIG_MEMORY_MIB_MIN, CONFIG_MEMORY_MIB_MAX},
	{"clones", "N", "clones to keep loaded of each template (default: 2)", CONFIG_NUMBER,
		AT(clones), 0, 64},
	{"auto-warm", "", "make a template of each image when it has been ready for the first time",
		CONFIG_FLAG, AT(auto_warm)},
	{"snapshot-limit", "MIB",
		"disk space that all snapshots may have together; 0: no limit (default: 0)",
		CONFIG_NUMBER, AT(snapshot_limit_mib), 0, UINT32_MAX},
	{"prepare-timeout", "SECONDS", "until a VM of the pool has to be prepared (default: 30)",
		CONFIG_NUMBER, AT(prepare_timeout_s), 1, 3600},
	{"on-exhausted", "create|wait|reject",
		"what a run does that finds the pool empty (default: create)", CONFIG_STRING,
		AT(on_exhausted)},
	{"monitor", "NAME",
		"auto, uvmm, firecracker, qemu or process (default: auto: uvmm with /dev/kvm, else "
		"qemu)",
		CONFIG_STRING, AT(monitor)},
	{"uvmm", "PATH", "the monitor (default: beside uigniterd)", CONFIG_STRING, AT(uvmm)},
	{"libos", "PATH", "the libOS (default: beside uigniterd)", CONFIG_STRING, AT(libos)},
	{"firecracker-path", "PATH", "Firecracker (default: /usr/bin/firecracker)", CONFIG_STRING,
		AT(firecracker)},
	{"qemu", "PATH", "QEMU (default: /usr/bin/qemu-system-x86_64)", CONFIG_STRING, AT(qemu)},
	{"builder", "PATH", "what builds images of clients (default: beside uigniterd)",
		CONFIG_STRING, AT(builder)},
	{"volume-root", "DIR[:DIR...]",
		"folders below which files may be given to VMs as volumes (default: none)",
		CONFIG_STRING, AT(volume_root)},
	{"process-user", "NAME", "whom programs in host mode run as (default: nobody)",
		CONFIG_STRING, AT(process_user)},
	{"monitor-uid", "N",
		"first of 65536 user numbers that nobody else has, one for each VM; 0: none, VMs "
		"run "
		"as root (default: 900000000)",
		CONFIG_NUMBER, AT(monitor_uid), 0, 4000000000u},
	{"log-level", "LEVEL", "debug, info, warn or error (default: info)", CONFIG_STRING,
		AT(log_level)},
	{"log-format", "text|json",
		"log lines as key=value, or each as an object of JSON (default: text)",
		CONFIG_STRING, AT(log_format_text)},
};

bool config_option(size_t i, struct config_option *option)
{
	if (i >= ARRAY_SIZE(options))
		return false;
	*option = (struct config_option){.name = options[i].name,
		.value = options[i].value,
		.help = options[i].help,
		.kind = options[i].kind,
		.min = options[i].min,
		.max = options[i].max};
	return true;
}

enum { OPT_CONFIG = 1000, OPT_HELP, OPT_VERSION };

static void print_help(void)
{
	printf("usage: uigniterd [OPTION]...\nThe manager of Uigniter: runs images as VMs, see "
	       "api/openapi.yaml.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char left[48];

		snprintf(left, sizeof(left), "--%s %s", options[i].name, options[i].value);
		printf("  %-28s %s\n", left, options[i].help);
	}
	printf("  %-28s %s\n", "--config FILE", "options as \"name: value\" lines (YAML)");
	printf("  %-28s %s\n", "--version, --help", "");
}

static int set_option(
	struct config *config, const struct option_row *row, const char *text, struct err *err)
{
	void *field = (char *)config + row->offset;
	unsigned long value;
	char *end, *copy;

	if (row->kind == CONFIG_STRING) {
		copy = strdup(text);
		if (!copy)
			return err_sys(err, ENOMEM, "--%s", row->name);
		free(*(char **)field);
		*(char **)field = copy;
		return 0;
	}
	if (row->kind == CONFIG_FLAG) {
		*(unsigned *)field = strcmp(text, "true") == 0;
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0
			? 0
			: err_set(err, EINVAL, "--%s: true or false is wanted", row->name);
	}
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || *text == '+' || value < row->min ||
		value > row->max)
		return err_set(err, EINVAL, "--%s %s: a number from %u to %u is wanted", row->name,
			text, row->min, row->max);
	*(unsigned *)field = (unsigned)value;
	return 0;
}

static const struct option_row *find_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	return NULL;
}

static int apply_file(struct config *config, const char *path, struct err *err)
{
	json_t *root = NULL, *value;
	const char *key;
	int r = yaml_load_file(path, CONFIG_FILE_MAX, &root, err);

	if (r < 0)
		return r;
	if (!json_is_object(root))
		r = err_set(err, EINVAL, "lines of the kind \"name: value\" are wanted");
	json_object_foreach(root, key, value)
	{
		const struct option_row *row = find_option(key);
		char number[32];

		if (r < 0)
			break;
		snprintf(
			number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		if (!row)
			r = err_set(err, EINVAL, "there is no option %s", key);
		else if (json_is_boolean(value) && row->kind == CONFIG_FLAG)
			r = set_option(config, row, json_is_true(value) ? "true" : "false", err);
		else if (!json_is_string(value) && !json_is_integer(value))
			r = err_set(err, EINVAL, "%s: a single value is wanted", key);
		else
			r = set_option(config, row,
				json_is_string(value) ? json_string_value(value) : number, err);
	}
	json_decref(root);
	return r < 0 ? err_prefix(err, "%s", path) : 0;
}

static int apply_argv(
	struct config *config, int argc, char *const *argv, const char **file, struct err *err)
{
	struct option longopts[ARRAY_SIZE(options) + 4] = {0};
	size_t n = ARRAY_SIZE(options);
	int c, r;

	for (size_t i = 0; i < n; i++)
		longopts[i] = (struct option){options[i].name,
			options[i].kind == CONFIG_FLAG ? no_argument : required_argument, NULL,
			(int)i + 1};
	longopts[n] = (struct option){"config", required_argument, NULL, OPT_CONFIG};
	longopts[n + 1] = (struct option){"help", no_argument, NULL, OPT_HELP};
	longopts[n + 2] = (struct option){"version", no_argument, NULL, OPT_VERSION};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			*file = optarg;
			break;
		case OPT_HELP:
			print_help();
			return 1;
		case OPT_VERSION:
			printf("uigniterd %s\n", UIGNITER_VERSION);
			return 1;
		case '?':
			return err_set(err, EINVAL,
				"%s: no such option, or its value is missing (see --help)",
				argv[optind - 1]);
		default:
			r = set_option(config, &options[c - 1], optarg ? optarg : "true", err);
			if (r < 0)
				return r;
		}
	}
	return optind < argc
		? err_set(err, EINVAL, "%s: only options are taken (see --help)", argv[optind])
		: 0;
}

static int set_default(char **field, const char *value)
{
	if (!*field)
		*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

/* Beside the daemon: in the build tree (BUILD/daemon/uigniterd), or in its own folder; else where `meson install` puts it, as seen
 * from the daemon's folder, so that an installation can be moved. */
static int find_part(char **field, const char *layer, const char *name)
{
	char exe[PATH_MAX], path[PATH_MAX * 2];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (*field)
		return 0;
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, sizeof(path), "%s/../%s/%s", exe, layer, name);
	if (access(path, R_OK) < 0)
		snprintf(path, sizeof(path), "%s/%s", exe, name);
	if (access(path, R_OK) < 0)
		snprintf(path, sizeof(path), "%s/%s/%s", *UIGNITER_LIBEXEC == '/' ? "" : exe,
			UIGNITER_LIBEXEC, name);
	*field = realpath(path, NULL);
	return set_default(field, path); /* not there: the monitor's probe says so */
}

/* A path as it was meant where the daemon was started: programs are run from another folder. One that is not there stays, for
 * the monitor's probe to name. */
static void make_absolute(char **field)
{
	char *path = strchr(*field, '/') && (*field)[0] != '/' ? realpath(*field, NULL) : NULL;

	if (!path)
		return;
	free(*field);
	*field = path;
}

static int set_defaults(struct config *c, struct err *err)
{
	int r = set_default(&c->listen, "127.0.0.1:6666");

	r = r < 0 ? r : set_default(&c->dashboard, "none");
	r = r < 0 ? r : set_default(&c->state_dir, "/var/lib/uigniter");
	r = r < 0 ? r : set_default(&c->run_dir, "/run/uigniter");
	r = r < 0 ? r : set_default(&c->subnet6_text, "auto");
	r = r < 0 ? r : set_default(&c->on_exhausted, "create");
	r = r < 0 ? r : set_default(&c->monitor, "auto");
	r = r < 0 ? r : set_default(&c->qemu, "/usr/bin/qemu-system-x86_64");
	r = r < 0 ? r : set_default(&c->firecracker, "/usr/bin/firecracker");
	r = r < 0 ? r : set_default(&c->process_user, "nobody");
	r = r < 0 ? r : set_default(&c->log_level, "info");
	r = r < 0 ? r : set_default(&c->log_format_text, "text");
	r = r < 0 ? r : find_part(&c->uvmm, "vmm", "uvmm");
	r = r < 0 ? r : find_part(&c->libos, "libos", "libos.elf");
	r = r < 0 ? r : find_part(&c->builder, "cli", "uigniter-build");
	if (r == 0) {
		make_absolute(&c->uvmm);
		make_absolute(&c->libos);
		make_absolute(&c->qemu);
		make_absolute(&c->firecracker);
		make_absolute(&c->builder);
	}
	if (r == 0 && !c->socket && asprintf(&c->socket, "%s/uigniterd.sock", c->run_dir) < 0) {
		c->socket = NULL;
		r = -ENOMEM;
	}
	return r < 0 ? err_sys(err, -r, "options") : 0;
}

/* "none": *port is 0. */
static int parse_address(
	const char *option, const char *text, uint32_t *ip, uint16_t *port, struct err *err)
{
	char addr[IPV4_TEXT_BYTES], *end;
	const char *colon = strchr(text, ':');
	unsigned long value;

	if (strcmp(text, "none") == 0)
		return 0;
	if (!colon || (size_t)(colon - text) >= sizeof(addr))
		return err_set(err, EINVAL, "--%s %s: ADDR:PORT or none is wanted", option, text);
	memcpy(addr, text, (size_t)(colon - text));
	addr[colon - text] = '\0';
	value = strtoul(colon + 1, &end, 10);
	if (ipv4_parse(addr, ip) < 0 || end == colon + 1 || *end || value < 1 || value > 65535)
		return err_set(err, EINVAL, "--%s %s: ADDR:PORT or none is wanted", option, text);
	*port = (uint16_t)value;
	return 0;
}

/* Browsers show no bearer token, so a page of a manager that wants one could show nothing. */
static int check_listen(struct config *c, struct err *err)
{
	int r = parse_address("listen", c->listen, &c->listen_ip, &c->listen_port, err);

	r = r < 0 ? r
		  : parse_address(
			    "dashboard", c->dashboard, &c->dashboard_ip, &c->dashboard_port, err);
	if (r < 0)
		return r;
	if (c->listen_port && c->listen_ip >> 24 != 127 && !c->token_file)
		return err_set(err, EINVAL,
			"--listen %s: off loopback, callers need a token (--token-file)",
			c->listen);
	if (c->dashboard_port && c->dashboard_ip >> 24 != 127)
		return err_set(
			err, EINVAL, "--dashboard %s: only loopback is served", c->dashboard);
	if (c->dashboard_port && c->token_file)
		return err_set(err, EINVAL,
			"--dashboard: browsers show no token, so there is no page with "
			"--token-file");
	return 0;
}

static int check(struct config *c, struct err *err)
{
	const struct passwd *user = getpwnam(c->process_user);
	int r = c->subnet_text ? subnet_parse(c->subnet_text, &c->subnet, err) : 0;

	r = r < 0 ? r : subnet6_parse(c->subnet6_text, c->run_dir, &c->subnet6, err);
	if (r < 0)
		return r;
	if (log_level_parse(c->log_level, &c->level) < 0)
		return err_set(err, EINVAL, "--log-level %s: debug, info, warn or error is wanted",
			c->log_level);
	if (log_format_parse(c->log_format_text, &c->log_format) < 0)
		return err_set(
			err, EINVAL, "--log-format %s: text or json is wanted", c->log_format_text);
	if (strcmp(c->on_exhausted, "create") != 0 && strcmp(c->on_exhausted, "wait") != 0 &&
		strcmp(c->on_exhausted, "reject") != 0)
		return err_set(err, EINVAL, "--on-exhausted %s: create, wait or reject is wanted",
			c->on_exhausted);
	if (!user)
		return err_set(
			err, EINVAL, "--process-user %s: there is no such user", c->process_user);
	c->process_uid = user->pw_uid;
	c->process_gid = user->pw_gid;
	if (c->cgroup && c->cgroup[0] != '/')
		return err_set(err, EINVAL, "--cgroup wants an absolute path");
	if (c->run_dir[0] != '/' || c->state_dir[0] != '/' || c->socket[0] != '/')
		return err_set(
			err, EINVAL, "--run-dir, --state-dir and --socket want absolute paths");
	return check_listen(c, err);
}

int config_load(int argc, char *const *argv, struct config *config, struct err *err)
{
	struct config c = {.pool = 4,
		.clones = 2,
		.monitor_uid = 900000000,
		.pool_memory_mib = 128,
		.prepare_timeout_s = 30,
		.quarantine_s = 30};
	const char *file = NULL;
	int r = apply_argv(&c, argc, argv, &file, err);

	if (r == 0 && file) { /* the command line again, since it has the last word */
		r = apply_file(&c, file, err);
		r = r < 0 ? r : apply_argv(&c, argc, argv, &file, err);
	}
	r = r ? r : set_defaults(&c, err);
	r = r ? r : check(&c, err);
	if (r) {
		config_fini(&c);
		return r;
	}
	*config = c;
	return 0;
}

void config_fini(struct config *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].kind == CONFIG_STRING) {
			char **field = (char **)((char *)config + options[i].offset);

			free(*field);
			*field = NULL;
		}
	}
}
