/* SPDX-License-Identifier: Apache-2.0 */
/* A paused libOS machine into the two files of a snapshot (vmm/snapshot/snapshot.h). The machine is as it was afterwards, and may go on. */
#ifndef VMM_SNAPSHOT_SAVE_H
#define VMM_SNAPSHOT_SAVE_H

struct err;
struct vm;

/* Can it be? Not while it runs, not with devices that have a state outside of the machine (disks, folders, sockets of the host), and only
 * where its libOS holds nothing back. 0, or -EINVAL with the reason. */
int snapshot_can_save(struct vm *vm, struct err *err);

/* The same in two steps: what is asked of KVM and of this process while the machine stands, and the writing, which needs nothing but the memory as it was
 * then: in a child of fork(2) too (vmm/snapshot/behind.h). saving is the caller's; descriptors as below. */
struct snapshot_saving;
int snapshot_saving_new(
	struct vm *vm, int state_fd, int mem_fd, struct snapshot_saving **saving, struct err *err);
int snapshot_saving_write(struct snapshot_saving *saving, struct err *err);
void snapshot_saving_free(struct snapshot_saving *saving); /* NULL is fine */

/* Both descriptors (borrowed) are of regular files or memory, may be written, and are emptied first. 0 or -errno. */
int snapshot_save(struct vm *vm, int state_fd, int mem_fd, struct err *err);

#endif
