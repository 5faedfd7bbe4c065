/* SPDX-License-Identifier: Apache-2.0 */
/* A paused libOS machine into the two files of a snapshot (vmm/snapshot/snapshot.h). The machine is as it was afterwards, and may go on. */
#ifndef VMM_SNAPSHOT_SAVE_H
#define VMM_SNAPSHOT_SAVE_H

struct err;
struct vm;

/* Can it be? Not while it runs, not with devices that have a state outside of the machine (disks, folders, sockets of the host), and only
 * where its libOS holds nothing back. 0, or -EINVAL with the reason. */
int snapshot_can_save(struct vm *vm, struct err *err);

/* Both descriptors (borrowed) are of regular files or memory, may be written, and are emptied first. 0 or -errno. */
int snapshot_save(struct vm *vm, int state_fd, int mem_fd, struct err *err);

#endif
