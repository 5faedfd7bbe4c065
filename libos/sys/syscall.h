/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls: one function each, in the file of its family (sys/sys_*.c, fs/, net/), one line each in calls.def. The
 * function takes the six raw arguments and returns a value or -errno; it names and narrows its arguments first.
 */
#ifndef LIBOS_SYS_SYSCALL_H
#define LIBOS_SYS_SYSCALL_H

#include <stdint.h>

typedef long syscall_fn(const uint64_t a[6]);

#define SYSCALL(nr, name, format) syscall_fn sys_##name;
#include "libos/sys/calls.def"
#undef SYSCALL

#endif
