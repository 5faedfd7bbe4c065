/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch table: index is the system call's number. */
#ifndef LIBOS_SYS_TABLE_H
#define LIBOS_SYS_TABLE_H

#include "libos/sys/syscall.h"

#define SYSCALL_TABLE_SIZE 512

struct syscall_entry {
	syscall_fn *fn;     /* NULL: -ENOSYS */
	const char *name;   /* NULL: unknown number */
	const char *format; /* argument letters for the trace, see calls.def */
};

/* As Linux calls it; "unknown". */
const char *syscall_name(uint64_t nr);

extern const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE];

#endif
