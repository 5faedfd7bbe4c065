/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of a VM, made from its configuration. Console and network belong to the shell; what a request brings (drives) is
 * added to a prepared shell when it starts: opening, an eventfd and one KVM call each, and nothing when there is none.
 */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

struct err;
struct vm;

/* While the shell is prepared. 0 or -errno. */
int machine_devices(struct vm *vm, struct err *err);
/* The same of a standard machine, which has COM1 for a console; all its virtio devices come with the start. */
int machine_ports(struct vm *vm, struct err *err);
/* At the start, before the devices are described to the guest. 0 or -errno: the shell is of no more use. */
int machine_late_devices(struct vm *vm, struct err *err);

#endif
