/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers below /proc/sys that a program may set. Those with a limit's name are that limit: who enforces it asks here. The others are kept
 * and answered. sysctl.c has their bounds, fs/procfs.c their paths.
 */
#ifndef LIBOS_SYS_SYSCTL_H
#define LIBOS_SYS_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sysctl {
	SYSCTL_PIPE_MAX_SIZE, /* bytes; a power of two */
	SYSCTL_INOTIFY_INSTANCES,
	SYSCTL_INOTIFY_WATCHES,
	SYSCTL_INOTIFY_EVENTS,
	SYSCTL_MQ_QUEUES,
	SYSCTL_MQ_MSG_MAX,
	SYSCTL_MQ_MSG_DEFAULT,
	SYSCTL_MQ_MSGSIZE_MAX,
	SYSCTL_MQ_MSGSIZE_DEFAULT,
	SYSCTL_MSGMNI,
	SYSCTL_MSGMAX,
	SYSCTL_MSGMNB,
	SYSCTL_MSG_NEXT_ID, /* the identifier that is given next; -1: any */
	SYSCTL_SEM_NEXT_ID,
	SYSCTL_SHM_NEXT_ID,
	SYSCTL_SHMMNI,
	SYSCTL_MAX_MAP_COUNT,
	SYSCTL_PID_MAX,
	SYSCTL_THREADS_MAX,
	SYSCTL_SWAPPINESS,
	SYSCTL_OVERCOMMIT,
	SYSCTL_SOMAXCONN,
	SYSCTL_DROP_CACHES,
	SYSCTL_AIO_MAX_NR, /* results that contexts of io_setup(2) may have room for together */
	SYSCTL_COUNT,
};

extern int64_t sysctl_value[SYSCTL_COUNT];

/* Takes the text of a write: 0, or -EINVAL for what is no number or out of bounds. */
int sysctl_set(enum sysctl which, const char *text, size_t n);

#endif
