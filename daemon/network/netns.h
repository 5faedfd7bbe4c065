/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network namespace in which bridge, taps and instances live. The daemon's one thread enters it for single calls
 * (a socket, a tap belong to the namespace that they were made in) and leaves it at once.
 */
#ifndef DAEMON_NETWORK_NETNS_H
#define DAEMON_NETWORK_NETNS_H

#include "lib/err.h"

struct netns {
	int home; /* where the daemon was started, and its API listens */
	int fd;   /* where the instances live; -1: the same */
};

/* name: as of `ip netns add`; NULL: stay where we are. 0 or -errno with err. */
int netns_open(const char *name, struct netns *ns, struct err *err);
void netns_close(struct netns *ns);

/* 0 or -errno. */
int netns_enter(const struct netns *ns);
/* Never fails: if it could, the daemon would go on in the wrong namespace; it aborts then. */
void netns_leave(const struct netns *ns);

/* A socket of the namespace (SOCK_CLOEXEC and SOCK_NONBLOCK are added). The descriptor or -errno. */
int netns_socket(const struct netns *ns, int domain, int type, int protocol);

/* A namespace of its own that lives as long as its descriptor or a process in it. The descriptor or -errno. */
int netns_new_private(const struct netns *ns);

#endif
