/* SPDX-License-Identifier: Apache-2.0 */
/* The command table: every verb, its options, its help. */
#include "cli/command.h"

#include <string.h>

#define MANY 64 /* operands of a command that takes several */

#define OPT_FORMAT                                                                                 \
	{                                                                                          \
		.name = "format", .kind = VALUE_TEXT, .metavar = "FORMAT",                         \
		.help = "table, json, json-lines, or a template such as '{name}\\t{ip}'"           \
	}
#define OPT_QUIET                                                                                  \
	{                                                                                          \
		.name = "quiet", .letter = 'q', .help = "print only ids or names"                  \
	}

const struct option_spec common_options[] = {
	{.name = "host",
		.letter = 'H',
		.kind = VALUE_TEXT,
		.metavar = "ADDRESS",
		.help = "the manager: unix:///path or tcp://address:port (else UIGNITER_HOST)"},
	{.name = "help", .letter = 'h', .help = "show this help"},
	{0},
};

static const struct option_spec run_options[] = {
	{.name = "detach", .letter = 'd', .help = "leave it running and print its id"},
	{.name = "name", .kind = VALUE_TEXT, .metavar = "NAME", .help = "name of the instance"},
	{.name = "memory",
		.letter = 'm',
		.kind = VALUE_MEMORY,
		.metavar = "SIZE",
		.help = "memory, such as 64M (default: the image's)"},
	{.name = "cpus",
		.letter = 'c',
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "virtual processors (default 1)"},
	{.name = "cpu-limit",
		.kind = VALUE_TEXT,
		.metavar = "CPUS",
		.help = "at most the time of so many of the host's processors, such as 1.5 "
			"(--cgroup of the manager)"},
	{.name = "cpu-weight",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "share of the processors against others, 1 to 10000 (default 100)"},
	{.name = "pids-limit",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "processes and threads on the host, at least 16"},
	{.name = "env",
		.letter = 'e',
		.kind = VALUE_LIST,
		.metavar = "K=V",
		.help = "environment variable; K alone takes over your own"},
	{.name = "publish",
		.letter = 'p',
		.kind = VALUE_LIST,
		.metavar = "[[ADDR:]HOST:]GUEST[/udp]",
		.help = "publish a port on the host (127.0.0.1 and TCP by default)"},
	{.name = "volume",
		.letter = 'v',
		.kind = VALUE_LIST,
		.metavar = "SRC:TARGET[:ro]",
		.help = "a folder of the host at TARGET, or a file as the disk /dev/vda (vdb, "
			"...)"},
	{.name = "label", .letter = 'l', .kind = VALUE_LIST, .metavar = "K=V", .help = "label"},
	{.name = "monitor",
		.kind = VALUE_CHOICE,
		.metavar = "NAME",
		.choices = "uvmm|qemu|process",
		.help = "what runs it: uvmm, qemu or process (default: the manager's)"},
	{.name = "network",
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "reach instances of this network and be reached by them, and no others"},
	{.name = "ip", .kind = VALUE_TEXT, .metavar = "ADDRESS", .help = "address in the subnet"},
	{.name = "rm", .help = "remove the instance when it has ended"},
	{.name = "trace", .help = "show each system call, as a line of the console"},
	{.name = "vsock",
		.kind = VALUE_TEXT,
		.metavar = "CID",
		.implied = "any",
		.help = "sockets to programs of the manager's machine (AF_VSOCK); `inspect` shows "
			"CID and path"},
	{.name = "restart",
		.kind = VALUE_TEXT,
		.metavar = "POLICY[:MAX]",
		.help = "start it again when it has ended: no, on-failure, always, unless-stopped"},
	{.name = "ttl",
		.kind = VALUE_COUNT,
		.metavar = "SECONDS",
		.help = "stop it after this time"},
	{.name = "wait",
		.kind = VALUE_CHOICE,
		.metavar = "STATE",
		.choices = "none|started|ready",
		.implied = "ready",
		.help = "wait until it is started (default) or ready; none: do not wait"},
	{.name = "timeout",
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "how long to wait for ready (default 30); then exit status 124"},
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

static const struct option_spec ps_options[] = {
	{.name = "all", .letter = 'a', .help = "also those that have ended"},
	{.name = "label",
		.letter = 'l',
		.kind = VALUE_TEXT,
		.metavar = "K[=V]",
		.help = "only those with this label"},
	{.name = "image",
		.kind = VALUE_TEXT,
		.metavar = "IMAGE",
		.help = "only those of this image"},
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

static const struct option_spec stop_options[] = {
	{.name = "timeout",
		.letter = 't',
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "kill it after this time (default 10)"},
	{0},
};

static const struct option_spec rm_options[] = {
	{.name = "force",
		.letter = 'f',
		.help = "kill it first when it runs; absent ones are fine"},
	{0},
};

static const struct option_spec logs_options[] = {
	{.name = "follow", .letter = 'f', .help = "go on with what is written until it ends"},
	{.name = "tail",
		.letter = 'n',
		.kind = VALUE_COUNT,
		.metavar = "LINES",
		.help = "only so many lines from the end"},
	{0},
};

static const struct option_spec format_options[] = {OPT_FORMAT, {0}};
static const struct option_spec list_options[] = {OPT_FORMAT, OPT_QUIET, {0}};

static const struct option_spec wait_options[] = {
	{.name = "for",
		.kind = VALUE_CHOICE,
		.metavar = "STATE",
		.choices = "running|ready|stopped|crashed|failed|ended",
		.help = "running, ready, stopped, crashed, failed or ended (default)"},
	{.name = "timeout",
		.letter = 't',
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "give up after this time with exit status 124 (default: never)"},
	{0},
};

static const struct option_spec events_options[] = {
	{.name = "since",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "begin behind this event; 0: with all that are kept"},
	{.name = "format",
		.kind = VALUE_CHOICE,
		.metavar = "FORMAT",
		.choices = "table|json|json-lines",
		.help = "table, or json-lines (json is the same)"},
	{0},
};

static const struct option_spec pool_options[] = {
	{.name = "target",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "how many VMs to keep prepared"},
	{.name = "memory",
		.letter = 'm',
		.kind = VALUE_MEMORY,
		.metavar = "SIZE",
		.help = "their memory, such as 128M"},
	{.name = "on-exhausted",
		.kind = VALUE_CHOICE,
		.metavar = "WHAT",
		.choices = "create|wait|reject",
		.help = "what a run does that finds none: create, wait or reject"},
	{0},
};

#define OPT_OUTPUT                                                                                 \
	{                                                                                          \
		.name = "output", .letter = 'o', .kind = VALUE_TEXT, .metavar = "FILE",            \
		.help = "write the image to a file instead of giving it to the manager"            \
	}
#define OPT_PROGRESS                                                                               \
	{                                                                                          \
		.name = "progress", .kind = VALUE_CHOICE, .metavar = "HOW",                        \
		.choices = "auto|plain|none",                                                      \
		.help = "what it is doing, on stderr: auto (on a terminal), plain or none"         \
	}
#define OPT_TAG                                                                                    \
	{                                                                                          \
		.name = "tag", .letter = 't', .kind = VALUE_TEXT, .metavar = "NAME",               \
		.help = "name of the image here"                                                   \
	}
#define OPT_MEMORY                                                                                 \
	{                                                                                          \
		.name = "memory", .letter = 'm', .kind = VALUE_MEMORY, .metavar = "SIZE",          \
		.help = "memory of its instances, such as 128M"                                    \
	}

static const struct option_spec import_options[] = {
	OPT_TAG,
	{.name = "ref",
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "which one, of an archive with several images"},
	OPT_MEMORY,
	OPT_OUTPUT,
	OPT_PROGRESS,
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

static const struct option_spec pull_options[] = {
	OPT_TAG,
	OPT_MEMORY,
	OPT_OUTPUT,
	OPT_PROGRESS,
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

static const struct option_spec build_options[] = {
	{.name = "context",
		.letter = 'C',
		.kind = VALUE_TEXT,
		.metavar = "FOLDER",
		.help = "what the manifest's paths are relative to (default: its own folder)"},
	{.name = "name",
		.letter = 't',
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "name of the image (default: the manifest's)"},
	OPT_OUTPUT,
	OPT_PROGRESS,
	{.name = "define",
		.letter = 'D',
		.kind = VALUE_LIST,
		.metavar = "NAME=VALUE",
		.help = "a variable of OSv's manifests"},
	{.name = "config",
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "which of the config_set of Capstan's package"},
	{.name = "host-files",
		.help = "let the manifest name any file of this machine, private ones too"},
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

static const struct option_spec prune_options[] = {
	{.name = "all", .letter = 'a', .help = "also names that no instance uses"},
	OPT_FORMAT,
	{0},
};

static const struct option_spec trace_options[] = {
	{.name = "manifest",
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "print a manifest for an image of this name (default: a list of all "
			"files)"},
	{.name = "missing-from",
		.kind = VALUE_TEXT,
		.metavar = "MANIFEST",
		.help = "print only the lines that the files of this manifest lack"},
	{.name = "timeout",
		.letter = 't',
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "ask the program to end after this time (default: never)"},
	{0},
};

static const struct option_spec app_up_options[] = {
	{.name = "context",
		.letter = 'C',
		.kind = VALUE_TEXT,
		.metavar = "FOLDER",
		.help = "context of builds, and what those that they name are relative to"},
	{.name = "no-build", .help = "take the images of builds that the manager has"},
	{.name = "host-files",
		.help = "let manifests name any file of this machine, private ones too"},
	{.name = "detach", .letter = 'd', .help = "do not wait until all is ready"},
	{.name = "timeout",
		.letter = 't',
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "wait so long (default 120); then exit status 124"},
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

static const struct option_spec app_build_options[] = {
	{.name = "context",
		.letter = 'C',
		.kind = VALUE_TEXT,
		.metavar = "FOLDER",
		.help = "context of builds, and what those that they name are relative to"},
	{.name = "host-files",
		.help = "let manifests name any file of this machine, private ones too"},
	{0},
};

static const struct option_spec app_wait_options[] = {
	{.name = "detach", .letter = 'd', .help = "do not wait for its end"},
	{.name = "timeout",
		.letter = 't',
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "wait so long (default 120); then exit status 124"},
	{0},
};

static const struct option_spec fn_deploy_options[] = {
	{.name = "port",
		.kind = VALUE_COUNT,
		.metavar = "PORT",
		.help = "where the program answers HTTP (default: the image's port)"},
	{.name = "min", .kind = VALUE_COUNT, .metavar = "N", .help = "instances kept (default 0)"},
	{.name = "max",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "instances at most (default 4)"},
	{.name = "concurrency",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "requests that an instance works on at a time (default 16)"},
	{.name = "queue",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "requests that wait for an instance (default 256)"},
	{.name = "idle",
		.kind = VALUE_COUNT,
		.metavar = "SECONDS",
		.help = "stop an instance above min that nobody asks for so long (default 60)"},
	{.name = "start-timeout",
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "how long a request waits for an instance (default 30)"},
	{.name = "answer-timeout",
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "how long for the beginning of its answer (default 60)"},
	{.name = "memory",
		.letter = 'm',
		.kind = VALUE_MEMORY,
		.metavar = "SIZE",
		.help = "memory, such as 64M (default: the image's)"},
	{.name = "cpus",
		.letter = 'c',
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "virtual processors (default 1)"},
	{.name = "env",
		.letter = 'e',
		.kind = VALUE_LIST,
		.metavar = "K=V",
		.help = "environment variable; K alone takes over your own"},
	{.name = "volume",
		.letter = 'v',
		.kind = VALUE_LIST,
		.metavar = "SRC:TARGET[:ro]",
		.help = "as `run` has it"},
	{.name = "label", .letter = 'l', .kind = VALUE_LIST, .metavar = "K=V", .help = "label"},
	{.name = "monitor",
		.kind = VALUE_CHOICE,
		.metavar = "NAME",
		.choices = "uvmm|qemu|process",
		.help = "what runs it (default: the manager's)"},
	{.name = "network",
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "network of its instances"},
	{.name = "trace", .help = "show each system call, as a line of the console"},
	{.name = "format",
		.kind = VALUE_TEXT,
		.metavar = "FORMAT",
		.help = "json, or a template such as '{name}\\t{url}' (default: its URL)"},
	{0},
};

static const struct option_spec image_warm_options[] = {
	{.name = "memory",
		.letter = 'm',
		.kind = VALUE_MEMORY,
		.metavar = "SIZE",
		.help = "memory of the instances, such as 64M (default: the image's)"},
	{.name = "env",
		.letter = 'e',
		.kind = VALUE_LIST,
		.metavar = "K=V",
		.help = "environment variable; K alone takes over your own"},
	{0},
};

static const struct option_spec fn_invoke_options[] = {
	{.name = "method",
		.letter = 'X',
		.kind = VALUE_TEXT,
		.metavar = "METHOD",
		.help = "default GET, with --data POST"},
	{.name = "data",
		.letter = 'd',
		.kind = VALUE_TEXT,
		.metavar = "TEXT|@FILE",
		.help = "body of the request"},
	{.name = "header",
		.kind = VALUE_TEXT,
		.metavar = "NAME:VALUE",
		.help = "a header of the request"},
	{0},
};

const struct command commands[] = {
	{.name = "run",
		.alias = "vm run",
		.run = cmd_run,
		.operands = "IMAGE [-- PROGRAM ARG...]",
		.min_operands = 1,
		.max_operands = 1,
		.takes_program = true,
		.summary = "run an image as a new instance",
		.detail = "In the foreground its console is shown until it ends, and its exit "
			  "status is passed on (125: "
			  "the instance could not be run, 126 and 127: its program could not be). "
			  "Ctrl-C stops it, a second "
			  "one kills it.",
		.example = "uigniter run -d --wait -p 8080:80 imaging/ui",
		.options = run_options},
	{.name = "ps",
		.alias = "vm ls",
		.run = cmd_ps,
		.operands = "",
		.summary = "list instances",
		.example = "uigniter ps --format '{name}\\t{ip}'",
		.options = ps_options},
	{.name = "stop",
		.alias = "vm stop",
		.run = cmd_stop,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "ask instances to end, kill them after a time-out",
		.example = "uigniter stop -t 2 web",
		.options = stop_options},
	{.name = "kill",
		.alias = "vm kill",
		.run = cmd_kill,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "end instances at once",
		.example = "uigniter kill web"},
	{.name = "start",
		.alias = "vm start",
		.run = cmd_start,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "start instances again that have ended",
		.example = "uigniter start web"},
	{.name = "restart",
		.alias = "vm restart",
		.run = cmd_restart,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "stop instances and start them again",
		.example = "uigniter restart web",
		.options = stop_options},
	{.name = "pause",
		.alias = "vm pause",
		.run = cmd_pause,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "hold instances where they are",
		.example = "uigniter pause web"},
	{.name = "resume",
		.alias = "vm resume",
		.run = cmd_resume,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "let paused instances go on",
		.example = "uigniter resume web"},
	{.name = "rm",
		.alias = "vm rm",
		.run = cmd_rm,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "remove instances that have ended",
		.example = "uigniter rm -f web",
		.options = rm_options},
	{.name = "logs",
		.alias = "vm logs",
		.run = cmd_logs,
		.operands = "INSTANCE",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "show what an instance wrote on its console",
		.example = "uigniter logs -f -n 20 web",
		.options = logs_options},
	{.name = "inspect",
		.alias = "vm inspect",
		.run = cmd_inspect,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "show all that is known of instances",
		.example = "uigniter inspect --format '{state}' web",
		.options = format_options},
	{.name = "wait",
		.alias = "vm wait",
		.run = cmd_wait,
		.operands = "INSTANCE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "wait for instances and print their exit statuses",
		.example = "uigniter wait --for ready --timeout 10 web",
		.options = wait_options},
	{.name = "port",
		.alias = "vm port",
		.run = cmd_port,
		.operands = "INSTANCE [GUEST[/udp]]",
		.min_operands = 1,
		.max_operands = 2,
		.summary = "show where ports of an instance are published",
		.example = "uigniter port web 80"},
	{.name = "stats",
		.alias = "vm stats",
		.run = cmd_stats,
		.operands = "[INSTANCE...]",
		.max_operands = MANY,
		.summary = "show memory and processor time of instances",
		.example = "uigniter stats web",
		.options = list_options},
	{.name = "events",
		.run = cmd_events,
		.operands = "",
		.summary = "show what happens, as it happens",
		.example = "uigniter events --since 0 --format json-lines",
		.options = events_options},
	{.name = "image build",
		.run = cmd_image_build,
		.operands = "MANIFEST [-- PROGRAM ARG...]",
		.min_operands = 1,
		.max_operands = 1,
		.takes_program = true,
		.summary = "build an image from a manifest and give it to the manager",
		.detail = "The manifest is YAML: name, program, to, args, env, cwd, files (from, "
			  "to), links (to, target), memory_mib, ports, readiness (tcp), labels. "
			  "Those of others are taken too: OSv's (*.manifest; -- PROGRAM says what "
			  "it runs), and Capstan's packages (the folder with meta/run.yaml).",
		.example = "uigniter image build -C build/services examples/imaging/kvstore.yaml",
		.options = build_options},
	{.name = "image import",
		.run = cmd_image_import,
		.operands = "FILE|FOLDER [-- PROGRAM ARG...]",
		.min_operands = 1,
		.max_operands = 1,
		.takes_program = true,
		.summary = "make an image from a container image: OCI layout or docker save",
		.detail =
			"A folder with an OCI image layout, or a tar archive (packed or not) of "
			"one or of docker save. Digests are checked. Entrypoint, Cmd, Env, "
			"WorkingDir and ExposedPorts are taken over, User is not; a PROGRAM takes "
			"the place of Entrypoint and Cmd.",
		.example = "uigniter image import -t web nginx.tar -- /usr/sbin/nginx -g "
			   "'daemon off; master_process off;'",
		.options = import_options},
	{.name = "image pull",
		.run = cmd_image_pull,
		.operands = "REFERENCE [-- PROGRAM ARG...]",
		.min_operands = 1,
		.max_operands = 1,
		.takes_program = true,
		.summary = "make an image from a container image of a registry, by skopeo",
		.example = "uigniter image pull -t box registry.example/busybox:1.36",
		.options = pull_options},
	{.name = "image trace",
		.run = cmd_image_trace,
		.operands = "-- PROGRAM ARG...",
		.takes_program = true,
		.summary = "run a program on this machine and list the files that it uses",
		.detail = "For manifests: what is found by this is what a program loads while it "
			  "runs "
			  "(modules, configuration, certificates), beside the libraries that image "
			  "build finds by itself. Threads and children count too. Use all of a "
			  "server "
			  "that an image has to do, then end it by Ctrl-C.",
		.example = "uigniter image trace --manifest lua -- lua5.4 script.lua > lua.yaml",
		.options = trace_options},
	{.name = "image ls",
		.alias = "images",
		.run = cmd_image_ls,
		.operands = "",
		.summary = "list images",
		.example = "uigniter image ls",
		.options = list_options},
	{.name = "image rm",
		.alias = "rmi",
		.run = cmd_image_rm,
		.operands = "IMAGE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "remove images",
		.example = "uigniter image rm imaging/ui"},
	{.name = "image tag",
		.run = cmd_image_tag,
		.operands = "IMAGE NAME",
		.min_operands = 2,
		.max_operands = 2,
		.summary = "give an image another name",
		.detail = "IMAGE is a name or a digest. A NAME that is there already goes over to "
			  "it.",
		.example = "uigniter image tag imaging/ui imaging/ui:stable"},
	{.name = "image prune",
		.run = cmd_image_prune,
		.operands = "",
		.summary = "remove what no name and no instance has",
		.example = "uigniter image prune --all",
		.options = prune_options},
	{.name = "image inspect",
		.run = cmd_image_inspect,
		.operands = "IMAGE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "show all that is known of images",
		.example = "uigniter image inspect imaging/ui",
		.options = format_options},
	{.name = "app up",
		.run = cmd_app_up,
		.operands = "FILE",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "make an application be what its file says",
		.detail =
			"Builds the images that the file has a build for, tells the manager what "
			"is "
			"wanted, and waits until all is ready. The manager starts what is missing "
			"in "
			"the order of depends_on, replaces what has changed and removes what is "
			"gone; "
			"from then on it replaces what ends. The same file again changes nothing. "
			"The "
			"file is YAML: name, services; of a service: image, build (manifest, "
			"context), "
			"replicas, depends_on, args, env, ports, volumes, memory_mib, restart, "
			"stop_timeout_s. ${service.NAME.address} in args and env is the address of "
			"another service.",
		.example = "uigniter app up -C build/services examples/imaging/app.yaml",
		.options = app_up_options},
	{.name = "app build",
		.run = cmd_app_build,
		.operands = "FILE",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "build the images of an application's file",
		.example = "uigniter app build -C build/services examples/imaging/app.yaml",
		.options = app_build_options},
	{.name = "app down",
		.run = cmd_app_down,
		.operands = "APP|FILE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "end applications and all of their instances",
		.example = "uigniter app down imaging",
		.options = app_wait_options},
	{.name = "app ls",
		.run = cmd_app_ls,
		.operands = "",
		.summary = "list applications",
		.example = "uigniter app ls",
		.options = list_options},
	{.name = "app ps",
		.run = cmd_app_ps,
		.operands = "APP|FILE",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "list the instances of an application by service",
		.example = "uigniter app ps imaging",
		.options = list_options},
	{.name = "app logs",
		.run = cmd_app_logs,
		.operands = "APP|FILE [SERVICE...]",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "show what the instances of an application wrote",
		.example = "uigniter app logs -f imaging worker",
		.options = logs_options},
	{.name = "app scale",
		.run = cmd_app_scale,
		.operands = "APP|FILE SERVICE=N...",
		.min_operands = 2,
		.max_operands = MANY,
		.summary = "change how many replicas services have",
		.detail = "Until the next `app up`, whose file says it again.",
		.example = "uigniter app scale imaging worker=5",
		.options = app_wait_options},
	{.name = "app inspect",
		.run = cmd_app_inspect,
		.operands = "APP|FILE...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "show all that is known of applications",
		.example = "uigniter app inspect imaging",
		.options = format_options},
	{.name = "network ls",
		.run = cmd_network_ls,
		.operands = "",
		.summary = "list networks",
		.example = "uigniter network ls",
		.options = list_options},
	{.name = "network leases",
		.run = cmd_network_leases,
		.operands = "[NETWORK]",
		.max_operands = 1,
		.summary = "show who has which address in a network",
		.detail = "Without a NETWORK that of all instances which name none. Addresses "
			  "without an "
			  "instance are those of prepared VMs.",
		.example = "uigniter network leases shop",
		.options = list_options},
	{.name = "image warm",
		.run = cmd_image_warm,
		.operands = "IMAGE [-- CMD ARG...]",
		.min_operands = 1,
		.max_operands = 1,
		.takes_program = true,
		.summary = "make a template: later instances are clones of one that is ready",
		.detail =
			"Starts an instance, waits until it is ready, and freezes it. Runs of the "
			"same image with the same arguments, environment and memory do not boot "
			"from then on. Prints the template's id.",
		.example = "uigniter image warm hello",
		.options = image_warm_options},
	{.name = "template ls",
		.run = cmd_template_ls,
		.operands = "",
		.summary = "list templates",
		.example = "uigniter template ls",
		.options = list_options},
	{.name = "template rm",
		.run = cmd_template_rm,
		.operands = "ID...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "remove templates; what is cloned from them goes on",
		.example = "uigniter template rm 0123456789abcdef"},
	{.name = "fn deploy",
		.run = cmd_fn_deploy,
		.operands = "NAME IMAGE [-- CMD ARG...]",
		.min_operands = 2,
		.max_operands = 2,
		.takes_program = true,
		.summary = "make an image a function: started by a request, stopped when idle",
		.detail = "Requests to its URL at the manager wait until an instance is ready, go "
			  "to it and are answered. The same name again changes the function; "
			  "instances of an earlier version are stopped when their requests are "
			  "over.",
		.example = "uigniter fn deploy hello hello --idle 30",
		.options = fn_deploy_options},
	{.name = "fn ls",
		.run = cmd_fn_ls,
		.operands = "",
		.summary = "list functions",
		.example = "uigniter fn ls",
		.options = list_options},
	{.name = "fn inspect",
		.run = cmd_fn_inspect,
		.operands = "NAME...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "show all that is known of functions",
		.example = "uigniter fn inspect hello",
		.options = format_options},
	{.name = "fn rm",
		.run = cmd_fn_rm,
		.operands = "NAME...",
		.min_operands = 1,
		.max_operands = MANY,
		.summary = "remove functions, with their instances",
		.example = "uigniter fn rm hello"},
	{.name = "fn invoke",
		.run = cmd_fn_invoke,
		.operands = "NAME [PATH]",
		.min_operands = 1,
		.max_operands = 2,
		.summary = "send a function one request and print its answer",
		.example = "uigniter fn invoke hello /greet?name=you",
		.options = fn_invoke_options},
	{.name = "pool show",
		.alias = "pool ls",
		.run = cmd_pool_show,
		.operands = "",
		.summary = "show the pool of prepared VMs",
		.example = "uigniter pool show",
		.options = list_options},
	{.name = "pool set",
		.run = cmd_pool_set,
		.operands = "PROFILE",
		.min_operands = 1,
		.max_operands = 1,
		.summary = "make a profile of the pool, or change it",
		.example = "uigniter pool set default --target 16",
		.options = pool_options},
	{.name = "system check",
		.run = cmd_system_check,
		.operands = "",
		.summary = "check this machine and the manager: PASS, WARN or FAIL with a remedy",
		.example = "uigniter system check",
		.options = format_options},
	{.name = "system info",
		.alias = "info",
		.run = cmd_system_info,
		.operands = "",
		.summary = "show how the manager is set up",
		.example = "uigniter system info --format json",
		.options = format_options},
	{.name = "system version",
		.alias = "version",
		.run = cmd_system_version,
		.operands = "",
		.summary = "show the versions of uigniter and of the manager",
		.example = "uigniter version",
		.options = format_options},
	{.name = "completion",
		.run = cmd_completion,
		.operands = "bash|zsh|words [-- WORD...]",
		.min_operands = 1,
		.max_operands = 1,
		.takes_program = true,
		.summary = "print the script that completes commands in a shell",
		.detail = "The scripts ask `completion words` what could stand in the place of the "
			  "last WORD of a line: commands, options, files, and names that the "
			  "manager knows.",
		.example = "source <(uigniter completion bash)"},
	{0},
};

/* How many words of argv spell this name; 0: they do not. */
static int words_matching(const char *name, int argc, char *const argv[])
{
	size_t first = name ? strcspn(name, " ") : 0;

	if (!first || argc < 1 || strlen(argv[0]) != first || memcmp(argv[0], name, first) != 0)
		return 0;
	if (!name[first])
		return 1;
	return argc > 1 && !strcmp(argv[1], name + first + 1) ? 2 : 0;
}

const struct command *command_find(int argc, char *const argv[], int *words)
{
	for (const struct command *c = commands; c->name; c++) {
		int n = words_matching(c->name, argc, argv);

		if (!n)
			n = words_matching(c->alias, argc, argv);
		if (!n)
			continue;
		*words = n;
		return c;
	}
	return NULL;
}

static bool first_of_two(const char *name, const char *word)
{
	size_t len = strlen(word);

	return name && !strncmp(name, word, len) && name[len] == ' ';
}

bool command_is_group(const char *word)
{
	for (const struct command *c = commands; c->name; c++)
		if (first_of_two(c->name, word) || first_of_two(c->alias, word))
			return true;
	return false;
}
