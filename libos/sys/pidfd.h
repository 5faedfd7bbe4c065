/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of processes (sys_pidfd.c). */
#ifndef LIBOS_SYS_PIDFD_H
#define LIBOS_SYS_PIDFD_H

#include <stdbool.h>

/* Does fd stand for a process? It is then this one. */
bool pidfd_is(int fd);

#endif
