/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UIG_REG_FREE (abi/platform.h): memory that the guest does not need goes back to the host. The guest can only forget what it can write
 * itself: RAM of its own, whole pages.
 */
#ifndef VMM_GIVEBACK_H
#define VMM_GIVEBACK_H

#include "abi/types.h"

struct mem;

/* Serves the list at `list`; bytes given back. vCPU thread. */
uint64_t giveback_serve(const struct mem *mem, gpa_t list);

#endif
