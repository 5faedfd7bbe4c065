/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a machine, and what KVM knows of it. KVM keeps some 2.7 KiB for each MiB that it has been told of, used or not, in every VM: so a machine
 * whose libOS asks before it goes on (UIG_LIBOS_ASKS_RAM, abi/boot.h) begins with what its snapshot uses and some room, and gets more in a second
 * slot, a third, each as large as all before it. A machine that boots is told all at once: nothing is to wait on its way.
 *
 *   guest-physical   0 ............ ready ............... low_bytes   device gap   4 GiB ...
 *                    slots of KVM  |  reserved, no slot  |             (device)  |  slot
 *
 * Threads: the device loop while the guest does not run, the vCPU thread while it does.
 */
#ifndef VMM_RAM_H
#define VMM_RAM_H

#include <stdint.h>

struct err;
struct vm;

#define RAM_ALL UINT64_MAX

/* Reserves config.mem_mib, aligned to 2 MiB, and tells KVM of the first `ready` bytes (at most what there is) and of all behind the
 * device gap. 0 or -errno. */
int ram_make(struct vm *vm, uint64_t ready, struct err *err);
/* How much a machine for a snapshot begins with, of which its guest uses the first `used` bytes. 0: it does not say. */
uint64_t ram_enough(uint64_t used);
/* Makes what lies below end ready; the identity page says how far that is now. What is not RAM below the gap is ignored. */
void ram_grow(struct vm *vm, uint64_t end);
/* Tells the guest. */
void ram_tell(struct vm *vm);
/* Below which the guest says that all lies that it has touched, of a guest that asks for more; 0: it does not say. */
uint64_t ram_used(const struct vm *vm);

#endif
