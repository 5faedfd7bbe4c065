/* SPDX-License-Identifier: Apache-2.0 */
/* Makers of the files of /proc/sysvipc. */
#ifndef LIBOS_IPC_PROC_H
#define LIBOS_IPC_PROC_H

#include <stdint.h>

struct text; /* libos/fs/tablefs.h */

int proc_sysvipc_shm(struct text *t, uint64_t n);
int proc_sysvipc_sem(struct text *t, uint64_t n);
int proc_sysvipc_msg(struct text *t, uint64_t n);

#endif
