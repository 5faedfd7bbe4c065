/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dispatch table, made from calls.def. Weak references: a family that is not linked in leaves NULL, which is -ENOSYS. All calls of Linux
 * have their name.
 */
#include "libos/sys/table.h"

#define SYSCALL(nr, name, format) syscall_fn sys_##name __attribute__((weak));
#include "libos/sys/calls.def"
#undef SYSCALL

const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE] = {
#define SYSCALL(nr, name, format) [nr] = {sys_##name, #name, format},
#include "libos/sys/calls.def"
#undef SYSCALL
};

static const char *const names[SYSCALL_TABLE_SIZE] = {
#define CALL(nr, name) [nr] = #name,
#include "abi/linux_calls.def"
#undef CALL
};

const char *syscall_name(uint64_t nr)
{
	return nr < SYSCALL_TABLE_SIZE && names[nr] ? names[nr] : "unknown";
}
