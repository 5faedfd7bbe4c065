/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's options. One table drives the command line, --help and the configuration file, which has the long names
 * as keys ("pool: 16"). The command line has the last word.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include "daemon/network/subnet6.h"
#include "lib/log.h"

#include <stdbool.h>
#include <sys/types.h>

#define CONFIG_MEMORY_MIB_MIN 8
#define CONFIG_MEMORY_MIB_MAX 65536
#define CONFIG_VCPUS_MAX      32
#define CONFIG_POOL_MAX       512

/* How a value is written: any text, a whole number, nothing on the command line and true or false in a file. */
enum config_kind { CONFIG_STRING, CONFIG_NUMBER, CONFIG_FLAG };

/* A row of the table as people see it; min and max of a number. */
struct config_option {
	const char *name, *value, *help;
	enum config_kind kind;
	unsigned min, max;
};

/* The row i of the table for the manual; false: there are no more. */
bool config_option(size_t i, struct config_option *option);

struct config {
	char *netns;     /* NULL: the daemon's own */
	char *socket;    /* path of the API's Unix socket; default: run_dir/uigniterd.sock */
	char *listen;    /* "a.b.c.d:port" or "none" */
	char *dashboard; /* ADDR:PORT of the page, or "none" */
	uint32_t dashboard_ip;
	uint16_t dashboard_port; /* 0: none */
	char *token_file;   /* what callers over TCP have to show; NULL: nothing, loopback only */
	uint32_t listen_ip; /* listen, taken apart; listen_port 0: none */
	uint16_t listen_port;
	char *state_dir, *run_dir;
	char *cgroup;      /* NULL: none (daemon/cgroup.h) */
	char *subnet_text; /* NULL: to be chosen (daemon/network/choose.h) */
	char *subnet6_text;
	struct subnet subnet;
	struct subnet6 subnet6;
	unsigned nat;                /* 0 or 1 */
	unsigned pool;               /* prepared VMs of the default profile */
	unsigned clones;             /* loaded ahead of each template */
	unsigned snapshot_limit_mib; /* of the disk, for all snapshots; 0: no limit */
	unsigned auto_warm;          /* 0 or 1: images get templates by their first start */
	unsigned pool_memory_mib;    /* their memory, and the default of VMs */
	unsigned quarantine_s;       /* how long an address rests */
	unsigned prepare_timeout_s;  /* until a prepared VM has to be ready */
	char *on_exhausted;          /* "create", "wait" or "reject" */
	char *uvmm, *libos, *qemu, *firecracker, *builder;
	unsigned
		monitor_uid; /* the first of a range: each VM of uvmm runs as one of its own; 0: as root */
	char *monitor;      /* "auto", or the name of one */
	char *volume_root;  /* folders with : between them; NULL: none */
	char *process_user; /* whom host-mode programs run as */
	uid_t process_uid;
	gid_t process_gid;
	char *log_level;
	enum log_level level;
	char *log_format_text;
	enum log_format log_format;
};

/* Defaults, then the file, then the command line. 0; 1 when --help or --version was printed; -EINVAL and the
 * like with err. */
int config_load(int argc, char *const *argv, struct config *config, struct err *err);
void config_fini(struct config *config);

#endif
