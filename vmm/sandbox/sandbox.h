/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wall around the monitor: what a guest that has taken it over could still do. Everything is opened first; then, before the
 * guest's first instruction, each thread
 *   - has an empty folder as its root (chroot; the folder belongs to root and cannot be written to),
 *   - is an own user and group without supplementary groups, capabilities or the way to new ones (no_new_privs),
 *   - may make only the system calls of its role (seccomp; filters.c has the lists). Opening a path fails with EACCES, any other
 *     call that is not on the list ends the process by SIGSYS.
 *
 * Credentials and filters are a thread's, so every thread calls sandbox_enter() itself, and threads are made before the device loop has
 * entered. The vCPU's enters when it is made, the device loop with the start, when image, disks and folders are known. Without sandbox_prepare() (a monitor started by hand) sandbox_enter() does nothing.
 */
#ifndef VMM_SANDBOX_SANDBOX_H
#define VMM_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

enum sandbox_role {
	SANDBOX_LOOP,   /* the device loop: API, tap, console, report */
	SANDBOX_VCPU,   /* KVM_RUN, and devices while it serves them */
	SANDBOX_DISK,   /* reads and writes of files that are open */
	SANDBOX_FOLDER, /* below a folder that is open: also names */
	SANDBOX_VSOCK,  /* connects to Unix sockets in one folder, which is its root */
	SANDBOX_ROLES,
};

/* What the process will be: user and group, and the path of the empty folder. 0, or -errno with err (not root, no folder, one that
 * is not empty or not root's alone). */
int sandbox_prepare(uid_t uid, gid_t gid, const char *root, struct err *err);

/* Enters with the user of sandbox_prepare(). 0 or -errno: the guest must not run then. */
int sandbox_enter(enum sandbox_role role);
/* With another user: a folder's thread is who owns the folder. */
int sandbox_enter_as(enum sandbox_role role, uid_t uid, gid_t gid);
/* The same with the folder behind `root` as its root, and a network namespace of its own: nothing is found there but what has a
 * name in that folder. */
int sandbox_enter_in(enum sandbox_role role, uid_t uid, gid_t gid, int root);

/* Has the process a sandbox? Then what lies in the host's folders can not be cleared up at the end. */
bool sandbox_wanted(void);

#endif
