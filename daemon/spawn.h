/* SPDX-License-Identifier: Apache-2.0 */
/* The one place of the manager that makes processes. */
#ifndef DAEMON_SPAWN_H
#define DAEMON_SPAWN_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWN_FDS_MAX  8
#define SPAWN_FD_FIRST 3 /* fds[i] is descriptor SPAWN_FD_FIRST + i of the child */

struct spawn {
	const char *path; /* of the program, absolute */
	int program; /* the program, opened (O_PATH), for one that the child's user may not find; 0: none */
	char *const *argv;
	char *const *envp;
	int stdio; /* the child's stdout and stderr; stdin is /dev/null */
	int fds[SPAWN_FDS_MAX];
	unsigned fd_count;
	int cgroup;      /* cgroup.procs of the group to run in, open; 0: the daemon's */
	int netns;       /* namespace to run in; -1: the daemon's */
	const char *cwd; /* NULL: / */
	bool drop; /* become uid and gid, without supplementary groups, capabilities and new privileges */
	uid_t uid;
	gid_t gid;
	bool mortal; /* it is killed when the daemon ends, however that happens */
	const char *
		record; /* file that the child writes /proc/self/stat to, so that a later daemon finds the process */
};

/* The child has begun its program when this returns: what goes wrong up to then is the error. It is the leader of a session of
 * its own, and when memory is used up the kernel ends it rather than the daemon (daemon/oom.h). The pid or -errno with err. */
pid_t spawn_process(const struct spawn *spawn, struct err *err);

/* What a record says, checked against the process that is there: 0 with *pid, -ESRCH when it is gone (or the pid
 * belongs to another process now), another -errno when the record can not be read. */
int spawn_record_read(const char *record, pid_t *pid);

#endif
