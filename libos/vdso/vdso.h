/* SPDX-License-Identifier: Apache-2.0 */
/* The vDSO in the program's address space: a page of code, and behind it the clock's page (vvar.h). */
#ifndef LIBOS_VDSO_VDSO_H
#define LIBOS_VDSO_VDSO_H

#include "libos/mem/uaccess.h"

/* Maps both at this address, which nothing else has. 0 or -errno. */
int vdso_map(uptr_t at);
/* The frame of page n (0: code, 1: clock): never counted or freed. */
void *vdso_frame(uint64_t n);

#endif
