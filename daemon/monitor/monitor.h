/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shells, and the one interface to all monitors. A shell is a VM without a program: it is the owner record of a lease,
 * a run folder, a monitor's process and its console. The pool holds prepared ones; an instance takes one and starts it.
 *
 *   shell_new()                 shell_prepared()            shell_start()             shell_started()
 *   ----------> PREPARING ----------------------> READY ------------------> STARTING -----------------> RUNNING
 *                   |                               |                          |                            |
 *                   +----------- the process ended: shell_process_ended() -----+----------------------------+--> ENDED
 *
 * The owner (pool or instance) hears of it through struct shell_owner and then calls shell_free(); an owner that has no
 * more use for a shell calls shell_discard() at any time, and hears nothing more. Each shell is on core->shells until all
 * it held is given back.
 *
 * A shell that an earlier manager started, and did not live to see the end of, comes back by shell_adopt() as RUNNING.
 */
#ifndef DAEMON_MONITOR_MONITOR_H
#define DAEMON_MONITOR_MONITOR_H

#include "daemon/kernel.h"
#include "daemon/network/network.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct core;
struct console;
struct loop_child;
struct shell;
struct spawn;

enum shell_state { SHELL_PREPARING, SHELL_READY, SHELL_STARTING, SHELL_RUNNING, SHELL_ENDED };

/* What a VM is made with; what can not be changed any more when it is prepared. */
struct shell_spec {
	const struct monitor_ops *ops;
	unsigned memory_mib, vcpus;
	bool more_will_do;              /* a prepared one may have more memory */
	uint32_t ip;                    /* 0: the next one */
	uint8_t mac[MAC_BYTES];         /* all 0: the address's own */
	char kernel[KERNEL_NAME_BYTES]; /* "": the default one */
	unsigned
		window_mib; /* for the image that it will have, which is known already; 0: for any */
	bool frozen;        /* it will be loaded with a frozen VM, and needs nothing of its own */
};

/* How a VM that runs is copied; borrowed for the call. */
struct copy_spec {
	int fd[2];         /* state, memory */
	const char *token; /* a text that no other copy has, of at most 64 bytes */
	bool stand;        /* while it is written */
};

/* A VM that was frozen, as two files; borrowed for the call. */
struct frozen {
	const char *state, *memory; /* paths */
	const char *image;          /* load only: of the same content as it had */
	const char *working_set;    /* load only: which pages the first clone wrote; made by it */
	bool verify;                /* load only: its memory's digest as well */
};
/* failed NULL: it is done. Not called when the process ends before. */
typedef void shell_done_fn(void *arg, struct shell *shell, const struct err *failed);

struct limits; /* daemon/cgroup.h */

/* What it is started with. All borrowed for the call of shell_start(). */
struct start_spec {
	const struct frozen *freeze; /* the files that it may be frozen to; NULL: it will not be */
	const char *image;           /* path of the EROFS file; NULL: none */
	const char *hostname;
	const char *search;  /* names_search(); NULL: there is no server of names */
	char *const *argv;   /* program and arguments; NULL: the image's own */
	char *const *env;    /* "KEY=VALUE", NULL behind the last */
	json_t *volumes;     /* daemon/volume.h; NULL: none */
	uint32_t vsock_cid;  /* daemon/vsock.h; 0: none; uvmm only */
	bool trace;          /* show system calls on the console */
	const char *program; /* process monitor: path on the host, or NULL */
	const char *root;    /* process monitor: folder to run in; NULL: work */
	const char *work;    /* process monitor: folder that the program may write to */
};

enum shell_end {
	SHELL_END_EXIT,   /* the program ended with a status */
	SHELL_END_SIGNAL, /* the program was ended by a signal */
	SHELL_END_CRASH,  /* libOS or monitor failed, or were killed */
	SHELL_END_NOEXEC, /* the program could not be started */
};

struct shell_exit {
	enum shell_end end;
	int code; /* EXIT: status; SIGNAL: its number; NOEXEC: errno */
	char reason[256];
};

struct shell_owner {
	void (*ready)(void *arg, struct shell *shell);
	/* failed NULL: the VM runs. Else it does not, and its end follows, or shell_discard() is called. */
	void (*started)(void *arg, struct shell *shell, const struct err *failed);
	/* The program called listen(), or the monitor can not tell; where watch_listen() was called. */
	void (*listening)(void *arg, struct shell *shell);
	void (*ended)(void *arg, struct shell *shell); /* see shell->exit */
};

struct monitor_ops {
	const char *name;
	unsigned vcpus_max;
	bool has_kernel;       /* boots one */
	bool no_folders;       /* of volumes it takes disks only */
	unsigned overhead_mib; /* memory of the monitor itself, at most */
	/* 0, or -errno with err: why this monitor can not be used here, and the remedy. */
	int (*probe)(const struct core *core, struct err *err);
	/* Gets all ready; shell_prepared() is called then or later. 0, or -errno with err (shell_new() undoes all). */
	int (*prepare)(struct shell *shell, struct err *err);
	/* shell_started() is called then or later. 0, or -errno with err. */
	int (*start)(struct shell *shell, const struct start_spec *spec, struct err *err);
	/* Of a shell that an earlier manager started: makes shell->priv, so that stop, watch_listen and ended work. 0, or -errno
	 * with err. */
	int (*adopt)(struct shell *shell, struct err *err);
	/* Of an adopted one that was perhaps never told to start: it is killed if it was not. NULL: never needed. */
	void (*confirm)(struct shell *shell);
	/* Stops a running VM that was started with `freeze` for good and writes the files. NULL: it can not. 0, or -errno with err. */
	int (*freeze)(struct shell *shell, const struct frozen *to, shell_done_fn *done, void *arg,
		struct err *err);
	/* Makes a ready shell what was frozen: shell->loaded then, and start() lets it go on as a clone. When it fails the process ends as
	 * well. */
	int (*load)(struct shell *shell, const struct frozen *from, shell_done_fn *done, void *arg,
		struct err *err);
	/* Of a clone that was started: writes down which pages it has touched until now, for later ones. NULL: it can not. 0, or -errno with err. */
	int (*record)(struct shell *shell, shell_done_fn *done, void *arg, struct err *err);
	/* Writes what a running VM is at this moment to two files that are open (state, memory; the caller's to close at once) and lets it go on,
	 * shell->stood_ns later: before the files are written, but for one that is to `stand` until done. NULL: it can not. 0, or -errno with err. */
	int (*copy)(struct shell *shell, const struct copy_spec *spec, shell_done_fn *done,
		void *arg, struct err *err);
	/* Lets a VM go on that an earlier manager left in the middle of a copy. */
	void (*go_on)(struct shell *shell);
	void (*stop)(struct shell *shell); /* asks the program to end */
	/* Calls shell_listening() when the program has called listen(); NULL: it can not tell. 0 or -errno. */
	int (*watch_listen)(struct shell *shell);
	/* The process ended so (CLD_EXITED ... or LOOP_NOT_CHILD, see loop_child_fn): fills shell->exit. */
	void (*ended)(struct shell *shell, int how, int status);
	void (*release)(
		struct shell *shell); /* frees shell->priv; called once, the process is gone */
};

extern const struct monitor_ops monitor_uvmm, monitor_firecracker, monitor_qemu, monitor_process;
extern const struct monitor_ops *const monitors[]; /* NULL behind the last */

/* By name; NULL. */
const struct monitor_ops *monitor_find(const char *name);
/* The configured one, checked; with "auto" the first of uvmm and qemu that can be used. 0 or -errno with err. */
int monitor_choose(
	const struct core *core, const char *name, const struct monitor_ops **ops, struct err *err);

struct shell {
	struct core *core;
	const struct monitor_ops *ops;
	enum shell_state state;
	struct shell_spec spec;
	struct lease lease;
	char *dir;   /* RUN_DIR/vm/NAME: socket, record of the process */
	bool loaded; /* with a frozen VM, which the start lets go on */
	bool killed; /* by shell_kill() */
	pid_t pid;   /* 0: no process now */
	struct loop_child *child;
	int cgroup_procs; /* of its group, until the process is there; -1 */
	struct console *console;
	int console_fd; /* write end, until the process is there */
	shell_done_fn *
		done; /* of freeze, load, record or copy under way; NULL: nobody waits for it any more */
	void *done_arg;
	int64_t stood_ns;                /* how long it stood still for the last copy */
	struct loop_timer *ended_timer;  /* adopted, when its process had ended before */
	const struct shell_owner *owner; /* NULL: discarded */
	void *owner_arg;
	struct shell_exit exit;
	bool listens;         /* with listening: it does, or did when it was frozen */
	uint16_t listen_port; /* ... what others reach; 0: not known */
	json_t *trace;        /* owned: [{step, by, us (since the request), exits}]; NULL: none */
	int64_t trace_ns;     /* when that request was, by loop_now_ns() */
	json_t *missing_calls; /* owned: names of the system calls that it has asked for in vain until now; NULL: not known */
	void *priv;                /* the monitor's */
	struct shell *prev, *next; /* core->shells */
};

/* 0, or -errno with err: -EAGAIN no address (retry_s, may be NULL), -EBUSY and -ENOENT as network_lease(). */
int shell_new(struct core *core, const struct shell_spec *spec, const struct shell_owner *owner,
	void *arg, struct shell **shell, unsigned *retry_s, struct err *err);
/* The shell of this address that an earlier manager started, from its folder; log: the file that its console goes to. When its
 * process has ended meanwhile, the owner hears of that from the loop. 0, or -errno with err and nothing left behind. */
int shell_adopt(struct core *core, const struct shell_spec *spec, const char *log,
	const struct shell_owner *owner, void *arg, struct shell **shell, struct err *err);
void shell_set_owner(struct shell *shell, const struct shell_owner *owner, void *arg);
/* Limits the process that it has or will have. 0 or -errno with err. */
int shell_limit(struct shell *shell, const struct limits *limits, struct err *err);
int shell_start(struct shell *shell, const struct start_spec *spec, struct err *err);
void shell_stop(struct shell *shell);
/* To the process that it is, if that is there still. */
void shell_signal(struct shell *shell, int signo);
void shell_kill(struct shell *shell);
/* Stops all processes of the shell where they are, or lets them go on. */
void shell_freeze(struct shell *shell, bool on);
/* Ended shells only. */
void shell_free(struct shell *shell);
void shell_discard(struct shell *shell);
/* What its console said last; "". */
const char *shell_last_line(const struct shell *shell);

/* --- for monitors ------------------------------------------------------------------------------------------- */
/* Spawns the shell's process with its console, record and watch. 0 or -errno with err. */
int shell_spawn(struct shell *shell, struct spawn *spawn, struct err *err);
void shell_prepared(struct shell *shell);
void shell_started(struct shell *shell, const struct err *failed);
void shell_listening(struct shell *shell);
/* Freeze, load or record is over: its callback is called, once. */
void shell_done(struct shell *shell, const struct err *failed);
/* Path of a file in the shell's folder; caller frees; NULL without memory. */
char *shell_path(const struct shell *shell, const char *file);
/* Sets exit from a process that ended so, when the monitor knows nothing better. */
void shell_exit_from_process(struct shell *shell, const char *who, int how, int status);

#endif
