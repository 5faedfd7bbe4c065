/* SPDX-License-Identifier: Apache-2.0 */
/* Between instance.c (the table), run.c (the life cycle) and wait.c. */
#ifndef DAEMON_INSTANCE_IMPL_H
#define DAEMON_INSTANCE_IMPL_H

#include "daemon/instance/instance.h"

struct instances {
	struct core *core;
	char *dir; /* STATE_DIR/vm */
	struct instance *first, *last;
	unsigned count;
	struct loop_timer *saver; /* of instance_save_soon() */
	bool saver_set;
	struct loop_timer *
		sweeper; /* removes those of auto_remove that have ended, outside of all callbacks */
	struct loop_timer *publisher; /* of ports that are lost (ports.c) */
};

/* adopt.c: writes the record to the state database. What can not be written is logged: the VM goes on, only a later
 * manager will not know. */
void instance_save(struct instance *inst);
/* The same, behind what is to be done now: in a moment, or when somebody is told of the instance (instance_settle()). */
void instance_save_soon(struct instance *inst);
/* The request to start a clone is on its way: while its monitor works, writes that it runs. */
void instance_save_ahead(struct instance *inst);

/* instance.c: into and out of the table; new ones are CREATED and hold nothing yet but name, id and folder names. */
int instance_new(
	struct instances *is, const struct run_spec *spec, struct instance **inst, struct err *err);
void instance_free(struct instance *inst);
int instance_make_paths(struct instance *inst); /* dir and log; 0 or -ENOMEM */

/* adopt.c: reads the state database; records that can not be used are logged and removed. 0 or -errno with err. */
int instances_load(struct instances *is, struct err *err);
void instance_table_add(struct instances *is, struct instance *inst);

/* ports.c: puts its shell into its network. 0 or -errno with err. */
int instance_isolate(struct instance *inst, struct err *err);
/* 0 or -errno with err; what was published before stays so until instance_unpublish(). */
int instance_publish(struct instance *inst, struct err *err);
void instance_unpublish(struct instance *inst);
/* One that has been taken over: what can not be published now is as soon as it can. */
void instance_publish_again(struct instance *inst);
void instances_find_lost_ports(void *instances);

/* run.c */
extern const struct shell_owner instance_owner;
void instance_watch_readiness(struct instance *inst);
void instance_end(struct instance *inst, enum instance_state to, const char *reason);
/* From CREATED on: shell, ports, start. 0 or -errno as instance_run(); nothing is undone. */
int instance_launch(struct instance *inst, unsigned *retry_s, struct err *err);

/* health_watch.c: begins or ends the checks, as its state wants it. */
void instance_watch_health(struct instance *inst);

/* again.c */
void instance_consider_restart(struct instance *inst); /* it has ended */
void instance_no_restart(struct instance *inst);       /* somebody wants it down */
void instance_resume_restart(struct instance *inst);   /* under another manager */
void instance_watch_ttl(struct instance *inst);        /* it runs */
void instance_set_state(struct instance *inst, enum instance_state to);

/* neighbours.c: it has ended without a word. */
void instance_tell_gone(const struct instance *inst);

/* wait.c: after each change of state or readiness. */
void instance_tell_waiters(struct instance *inst);

#endif
