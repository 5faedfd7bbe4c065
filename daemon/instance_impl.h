/* SPDX-License-Identifier: Apache-2.0 */
/* Between instance.c (the table), instance_run.c (the life cycle) and instance_wait.c. */
#ifndef DAEMON_INSTANCE_IMPL_H
#define DAEMON_INSTANCE_IMPL_H

#include "daemon/instance.h"

struct instances {
	struct core *core;
	char *dir; /* STATE_DIR/vm */
	struct instance *first, *last;
	unsigned count;
	struct loop_timer *
		sweeper; /* removes those of auto_remove that have ended, outside of all callbacks */
};

/* instance.c: into and out of the table; new ones are CREATED and hold nothing yet but name, id and folder names. */
int instance_new(
	struct instances *is, const struct run_spec *spec, struct instance **inst, struct err *err);
void instance_free(struct instance *inst);

/* instance_run.c */
void instance_hurry(struct instance *inst, bool on);
void instance_set_state(struct instance *inst, enum instance_state to);

/* instance_wait.c: after each change of state or readiness. */
void instance_tell_waiters(struct instance *inst);

#endif
