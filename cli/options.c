/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the verbs: what they are called, what values they take, what they are for. */
#include "cli/options.h"

#define OPT_FORMAT                                                                                 \
	{                                                                                          \
		.name = "format", .kind = VALUE_TEXT, .metavar = "FORMAT",                         \
		.help = "table, json, json-lines, or a template such as '{name}\\t{ip}'"           \
	}
#define OPT_QUIET                                                                                  \
	{                                                                                          \
		.name = "quiet", .letter = 'q', .help = "print only ids or names"                  \
	}

#define OPT_PROGRESS                                                                               \
	{                                                                                          \
		.name = "progress", .kind = VALUE_CHOICE, .metavar = "HOW",                        \
		.choices = "auto|tty|plain|json|none",                                             \
		.help = "what it is doing, on stderr: auto (tty on a terminal), tty, plain, json " \
			"or none"                                                                  \
	}

/* Of the verbs of applications. */
#define OPT_CONTEXT                                                                                \
	{                                                                                          \
		.name = "context", .letter = 'C', .kind = VALUE_TEXT, .metavar = "FOLDER",         \
		.help = "context of builds, and what those that they name are relative to"         \
	}
#define OPT_HOST_FILES                                                                             \
	{                                                                                          \
		.name = "host-files",                                                              \
		.help = "let manifests name any file of this machine, private ones too"            \
	}
#define OPT_WAIT                                                                                   \
	{                                                                                          \
		.name = "timeout", .letter = 't', .kind = VALUE_SECONDS, .metavar = "SECONDS",     \
		.help = "wait so long (default 120); then exit status 124"                         \
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

const struct option_spec run_options[] = {
	{.name = "detach", .letter = 'd', .help = "leave it running and print its id"},
	{.name = "name", .kind = VALUE_TEXT, .metavar = "NAME", .help = "name of the instance"},
	{.name = "from",
		.kind = VALUE_TEXT,
		.metavar = "SNAPSHOT",
		.help = "go on from this snapshot in place of booting an image (see: uigniter "
			"snapshot "
			"ls)"},
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
		.choices = "uvmm|firecracker|qemu|process",
		.help = "what runs it: uvmm, firecracker, qemu or process (default: the "
			"manager's)"},
	{.name = "kernel",
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "what it boots (see: uigniter kernel ls)"},
	{.name = "network",
		.kind = VALUE_TEXT,
		.metavar = "NAME",
		.help = "reach instances of this network and be reached by them, and no others"},
	{.name = "ip", .kind = VALUE_TEXT, .metavar = "ADDRESS", .help = "address in the subnet"},
	{.name = "mac",
		.kind = VALUE_TEXT,
		.metavar = "MAC",
		.help = "its network interface's (default: its address says it)"},
	{.name = "rm", .help = "remove the instance when it has ended"},
	{.name = "trace", .help = "show each system call, as a line of the console"},
	{.name = "timing", .help = "say on stderr where the time of the start went, step by step"},
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
	OPT_PROGRESS,
	{.name = "timeout",
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "how long to wait for ready (default 30); then exit status 124"},
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

const struct option_spec ps_options[] = {
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

const struct option_spec stop_options[] = {
	{.name = "timeout",
		.letter = 't',
		.kind = VALUE_SECONDS,
		.metavar = "SECONDS",
		.help = "kill it after this time (default 10)"},
	{0},
};

const struct option_spec rm_options[] = {
	{.name = "force",
		.letter = 'f',
		.help = "kill it first when it runs; absent ones are fine"},
	{0},
};

const struct option_spec logs_options[] = {
	{.name = "follow", .letter = 'f', .help = "go on with what is written until it ends"},
	{.name = "tail",
		.letter = 'n',
		.kind = VALUE_COUNT,
		.metavar = "LINES",
		.help = "only so many lines from the end"},
	{0},
};

const struct option_spec format_options[] = {OPT_FORMAT, {0}};
const struct option_spec list_options[] = {OPT_FORMAT, OPT_QUIET, {0}};

const struct option_spec wait_options[] = {
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

const struct option_spec events_options[] = {
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

const struct option_spec pool_options[] = {
	{.name = "target",
		.kind = VALUE_COUNT,
		.metavar = "N",
		.help = "how many VMs to keep prepared"},
	{.name = "memory",
		.letter = 'm',
		.kind = VALUE_MEMORY,
		.metavar = "SIZE",
		.help = "their memory, such as 128M"},
	{.name = "kernel", .kind = VALUE_TEXT, .metavar = "NAME", .help = "what they boot"},
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

const struct option_spec import_options[] = {
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

const struct option_spec pull_options[] = {
	OPT_TAG,
	OPT_MEMORY,
	OPT_OUTPUT,
	OPT_PROGRESS,
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

const struct option_spec build_options[] = {
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

const struct option_spec prune_options[] = {
	{.name = "all", .letter = 'a', .help = "also names that no instance uses"},
	OPT_FORMAT,
	{0},
};

const struct option_spec trace_options[] = {
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

const struct option_spec app_up_options[] = {
	OPT_CONTEXT,
	{.name = "no-build", .help = "take the images of builds that the manager has"},
	OPT_HOST_FILES,
	{.name = "detach", .letter = 'd', .help = "do not wait until all is ready"},
	OPT_WAIT,
	OPT_FORMAT,
	OPT_QUIET,
	{0},
};

const struct option_spec app_build_options[] = {
	OPT_CONTEXT,
	OPT_HOST_FILES,
	{0},
};

const struct option_spec app_wait_options[] = {
	{.name = "detach", .letter = 'd', .help = "do not wait for its end"},
	OPT_WAIT,
	{0},
};

const struct option_spec fn_deploy_options[] = {
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
		.choices = "uvmm|firecracker|qemu|process",
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

const struct option_spec image_warm_options[] = {
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
	OPT_PROGRESS,
	{0},
};

const struct option_spec progress_options[] = {OPT_PROGRESS, {0}};

const struct option_spec snapshot_create_options[] = {OPT_FORMAT, OPT_PROGRESS, {0}};

const struct option_spec fn_invoke_options[] = {
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
