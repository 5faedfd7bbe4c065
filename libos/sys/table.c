/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch table, made from calls.def. Weak references: a family that is not linked in leaves NULL, which is -ENOSYS. */
#include "libos/sys/table.h"

#define SYSCALL(nr, name, format) syscall_fn sys_##name __attribute__((weak));
#include "libos/sys/calls.def"
#undef SYSCALL

const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE] = {
#define SYSCALL(nr, name, format) [nr] = {sys_##name, #name, format},
#include "libos/sys/calls.def"
#undef SYSCALL
};
