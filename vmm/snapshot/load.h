/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot into a machine that has not run: a prepared shell, or (nothing configured) one that is made for it. All that is slow is done here,
 * ahead of the request that gives it its identity (vm_start()): afterwards memory shows the memory file, privately, the vCPU and the devices
 * stand as they stood at the freeze, and the pages that earlier clones wrote are copied already.
 */
#ifndef VMM_SNAPSHOT_LOAD_H
#define VMM_SNAPSHOT_LOAD_H

#include <stdbool.h>

struct err;
struct vm;

struct snapshot_source {
	const char *state, *memory; /* paths; the image is that of the configuration */
	bool verify;                /* the memory's digest too */
};

/* EMPTY or READY to LOADED. 0 or -errno: the VM is of no more use. */
int snapshot_load(struct vm *vm, const struct snapshot_source *from, struct err *err);

#endif
