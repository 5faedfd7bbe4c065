/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances: what people call a VM. An instance is the owner record of its shell, its published ports and its folder
 * STATE_DIR/vm/ID (console log, and in host mode the program's working folder).
 *
 *    instance_run()      shell ready: begin()         shell says started
 *   ------------> CREATED ---------------> STARTING ---------------------> RUNNING
 *                  |   |                    |    |                          |    |
 *                  |   +---- no start ------+    |    instance_stop(), _kill()   | the program ended: STOPPED
 *                  |            |                +----------+---------------+    | it was not its own end: CRASHED
 *                  |            v                           v                    | it could not be started: FAILED
 *                  |          FAILED                     STOPPING                v
 *                  +-- instance_stop() --> STOPPED <--------+
 *
 * RUNNING <-- instance_resume() -- PAUSED (and back by instance_pause()); PAUSED ends as RUNNING does. One that has ended begins
 * anew as CREATED: instance_start(), also by its restart policy.
 *
 * An instance that has ended holds no shell, address or port; its record and log stay until it is removed.
 *
 * Each change is written to the state database before the one who asked for it is answered; that it starts, only after its monitor was
 * told (instance_settle()). A manager that takes over from one that was killed
 * reads all records (instances_new()) and goes on with those that run (instances_adopt()): one on its way to RUNNING becomes
 * FAILED, one on its way to its end goes on to it.
 */
#ifndef DAEMON_INSTANCE_INSTANCE_H
#define DAEMON_INSTANCE_INSTANCE_H

#include "daemon/instance/health.h"
#include "daemon/id.h"
#include "daemon/image/name.h"
#include "daemon/instance/limits.h"
#include "daemon/monitor/monitor.h"
#include "daemon/vsock.h"

#include <jansson.h>
#include <time.h>

#define INSTANCES_MAX       4096 /* with those that have ended: the oldest of these make room */
#define INSTANCE_PORTS_MAX  64
#define INSTANCE_KEY_BYTES  129             /* of an idempotency key, with its NUL */
#define INSTANCE_PREFIX_MIN 4               /* characters of an id */
#define INSTANCE_STOP_NS    (10 * NS_PER_S) /* until it is killed, where nobody says otherwise */

enum instance_state {
	VM_CREATED,
	VM_STARTING,
	VM_RUNNING,
	VM_PAUSED,
	VM_STOPPING,
	VM_STOPPED,
	VM_FAILED,
	VM_CRASHED
};
extern const char *const instance_state_names[]; /* NULL behind the last */

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };
extern const char *const restart_policy_names[]; /* NULL behind the last */

struct restart {
	enum restart_policy policy;
	unsigned max_retries; /* 0: no limit */
	unsigned count;       /* by the policy, so far */
	bool pending;         /* it has ended and will be started again */
	int64_t wait_ns;      /* the last waiting time; 0: none yet */
	struct loop_timer *timer;
};

/* What can be waited for; a wait also ends when it can not be reached any more: it has ended. */
enum instance_goal {
	GOAL_RUNNING,
	GOAL_READY,
	GOAL_STOPPED,
	GOAL_CRASHED,
	GOAL_FAILED,
	GOAL_ENDED
};
extern const char *const instance_goal_names[]; /* NULL behind the last */

struct forward;
struct forward_udp;
struct image;
struct instance;
struct instances;
struct instance_waiter;
struct readiness;
struct snapshot;

struct port_map {
	uint32_t host_ip;
	uint16_t host_port, guest_port;
	bool udp;
	struct forward *forward; /* one of them; both NULL after the end, or when it is lost */
	struct forward_udp *forward_udp;
};

/* Whose it is: of an application (daemon/app/app.h) or of a function (daemon/fn/fn.h). All zero: of neither. */
struct app_mark {
	char app[NAME_MAX_BYTES + 1], service[NAME_MAX_BYTES + 1];
	char fn[NAME_MAX_BYTES + 1];
	unsigned serial; /* of the service's replicas, from 1 */
	uint64_t hash;   /* of what it was made from */
	bool dismissed;  /* the application asked it to end */
};

/* What an instance is made from. All borrowed for the call of instance_run(). */
struct run_spec {
	struct image *image;
	struct shell_spec shell; /* with every default filled in */
	const char *name;        /* NULL: made from image and id */
	char *const *argv;       /* NULL: the image's cmd, or what the image itself says */
	json_t *env, *labels;    /* objects or NULL */
	json_t *volumes;         /* daemon/volume.h; or NULL */
	struct vsock_spec vsock;
	bool trace;          /* system calls are shown on the console */
	const char *network; /* NULL or "": that of all */
	struct port_map ports[INSTANCE_PORTS_MAX];
	unsigned port_count;
	bool auto_remove;
	struct restart restart; /* policy and max_retries */
	struct health_spec health;
	struct limits limits;
	unsigned ttl_s;    /* 0: no limit */
	const char *key;   /* Idempotency-Key of the request, or NULL */
	uint64_t key_hash; /* of the request's body */
	struct app_mark mark;
	const struct snapshot
		*from; /* what it goes on from (daemon/snapshot/snapshot.h); NULL: it boots */
	const struct frozen
		*freeze;    /* it is to become a template (daemon/template/template.h); NULL */
	int64_t request_ns; /* when the request came, loop_now_ns() */
};

/* What a start is made of, in this order; the times of each stand in instance->step_ns. */
enum instance_step {
	STEP_MADE,    /* its record is there: name, arguments, environment */
	STEP_SHELL,   /* it has a shell: address, network, published ports */
	STEP_SENT,    /* the monitor is told to start it */
	STEP_STARTED, /* the monitor says that it runs */
	STEP_READY,   /* its port takes connections */
	INSTANCE_STEPS
};
extern const char *const instance_step_names[INSTANCE_STEPS];

struct instance {
	struct core *core;
	char id[ID_TEXT_BYTES];
	char name[NAME_MAX_BYTES + 1];
	char network[NAME_MAX_BYTES + 1]; /* "": that of all (daemon/network/filter.h) */
	enum instance_state state;
	bool hurrying; /* counted in core->hurrying */
	bool saved;    /* has a row in the state database */
	bool unsaved;  /* ... or will have one, or a newer one: instance_settle() */
	bool ahead;    /* ... which says already that it runs, as it does now */
	bool doomed;   /* it is removed when it has ended: nothing starts it again */
	bool cloned,
		no_clone; /* it is one of a template; it was one in vain, and boots in a new shell */
	bool ready, from_pool, auto_remove, has_exit_code, trace;
	bool wanted_down; /* somebody asked it to end: no policy starts it again */
	struct restart restart;
	struct health_spec health;
	enum health_state health_state;
	struct health *checks;        /* while it runs or is paused; NULL: none */
	char key[INSTANCE_KEY_BYTES]; /* of the request that made it; "": none */
	uint64_t key_hash;
	struct app_mark mark;
	bool app_knows; /* its application has taken note of its end */
	struct limits limits;
	unsigned ttl_s; /* 0: no limit */
	struct loop_timer *ttl_timer;
	int exit_code;
	char reason[256]; /* "": none */
	struct image *image;
	struct shell *shell; /* NULL after the end */
	struct shell_spec spec;
	uint32_t ip, static_ip; /* that it has, that was asked for (0: any) */
	uint8_t mac[MAC_BYTES];
	const struct frozen *freeze; /* borrowed from its template; NULL */
	char from[NAME_MAX_BYTES + 1],
		from_id[ID_TEXT_BYTES]; /* the snapshot that each start goes on from; "": none */
	bool copying;  /* a snapshot is being made of it: it stands still for a moment */
	char **argv;   /* owned; NULL: the image's own */
	char **env;    /* owned */
	char *cmdline; /* argv as a line */
	json_t *labels;
	json_t *volumes;         /* owned; NULL: none (daemon/volume.h) */
	struct vsock_spec vsock; /* with its CID */
	json_t *missing_calls;   /* owned; of the last run, names; NULL: none */
	struct port_map ports[INSTANCE_PORTS_MAX];
	unsigned port_count;
	char *dir, *log;                        /* folder and console file */
	int64_t request_ns, start_ns, ready_ns; /* monotonic; 0: not yet */
	int64_t step_ns[INSTANCE_STEPS];        /* of the last start; the same */
	json_t *steps;    /* owned: of its monitor and libOS (daemon/monitor/trace.h); NULL: none */
	int64_t steps_ns; /* since when their times count */
	struct timespec created, started, ended;
	struct readiness *readiness;
	struct loop_timer *kill_timer, *ahead_timer;
	struct pool_waiter *pool_waiter; /* while it waits for a prepared shell */
	struct loop_timer *pool_timer;
	struct instance_waiter *waiters;
	struct instance *prev, *next; /* oldest first */
};

/* With those of the state database. 0 or -errno with err. */
int instances_new(struct core *core, struct instances **instances, struct err *err);
void instances_free(struct instances *instances); /* all have ended; removes their folders */
/* Whether the shell of this name (and its interface) is that of an instance which runs, or ran when its manager ended. */
bool instances_use_shell(const struct instances *instances, const char *name);
/* Takes the shells of these over; one for which that fails has crashed then. How many are alive now. */
unsigned instances_adopt(struct instances *instances);
unsigned instances_count(const struct instances *instances);
struct instance *instances_first(const struct instances *instances);
/* Asks all to stop, kills after timeout_ns. core->shells gets empty then. */
void instances_stop_all(struct instances *instances, int64_t timeout_ns);

/* By id, name, or prefix of an id. 0, -ENOENT, or -EEXIST when the prefix is that of several. */
int instances_find(const struct instances *instances, const char *key, struct instance **inst);

/* The one that a request with this key has made, as long as it is not removed; NULL. */
struct instance *instances_find_key(const struct instances *instances, const char *key);

/* 0 and *inst (borrowed), or -errno with err and nothing left behind: -EEXIST the name is taken, -EADDRINUSE a port or the
 * address is, -EAGAIN no address, pool empty or too many (*retry_s), -ENOENT the address is not of the subnet. The start goes
 * on in the background. */
int instance_run(struct instances *instances, const struct run_spec *spec, struct instance **inst,
	unsigned *retry_s, struct err *err);
/* One that has ended, again: as instance_run(), -EBUSY when it has not. What fails makes it FAILED. */
int instance_start(struct instance *inst, unsigned *retry_s, struct err *err);
/* Stops its processor and its devices, or lets them go on; nothing happens to one that is so already. 0, or -EBUSY with err. */
int instance_pause(struct instance *inst, struct err *err);
int instance_resume(struct instance *inst, struct err *err);
/* Asks it to end, kills it after timeout_ns. Nothing happens to one that has ended. */
void instance_stop(struct instance *inst, int64_t timeout_ns);
void instance_kill(struct instance *inst);
/* One that has ended: forgets it and removes its folder. Not from a waiter's callback. */
void instance_remove(struct instance *inst);
/* The same, outside of all callbacks; nobody sees it from now on. */
void instance_remove_soon(struct instance *inst);

/* Writes to the state database what is not there yet: before somebody is told. */
void instance_settle(struct instance *inst);
/* Before somebody is told that it runs, and no more: a row that was written ahead is enough. */
void instance_settle_start(struct instance *inst);
void instances_settle(struct instances *instances);

/* Fills argv, env and cmdline of an instance with this image as a run makes them, and gives them back. 0 or -errno. */
int instance_words(struct instance *inst, const struct run_spec *spec);
void instance_words_fini(struct instance *inst);
/* Lists of words, NULL behind the last: *out is the caller's, for instance_free_words(). NULL is none. 0 or -ENOMEM. */
int instance_copy_words(char *const *from, char ***out);
void instance_free_words(char **words);

bool instance_has_ended(const struct instance *inst);
/* It runs, and another program has this one of its ports. */
bool instance_port_is_lost(const struct instance *inst, const struct port_map *map);
/* Ended, to be removed by itself, and about to be: not shown to anybody. */
bool instance_is_gone(const struct instance *inst);
/* The goal is reached now. */
bool instance_reached(const struct instance *inst, enum instance_goal goal);
/* Calls fn once, from the loop: the goal is reached, or can not be any more, or the time is over. Check instance_reached() and
 * instance_has_ended() first. NULL without memory. */
typedef void instance_wait_fn(void *arg, struct instance *inst, bool reached);
/* The same for who waits for whatever comes: one that has ended and will be started again by its policy can reach all. */
bool instance_may_reach(const struct instance *inst);
struct instance_waiter *instance_wait_on(struct instance *inst, enum instance_goal goal,
	int64_t timeout_ns, instance_wait_fn *fn, void *arg);
struct instance_waiter *instance_wait(struct instance *inst, enum instance_goal goal,
	int64_t timeout_ns, instance_wait_fn *fn, void *arg);
/* One that insists hears that the goal was reached also when another one, which heard it before, has started the instance again. */
void instance_wait_insist(struct instance_waiter *waiter);
void instance_wait_cancel(struct instance_waiter *waiter);

#endif
