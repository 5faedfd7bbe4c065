/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot of a machine that goes on while it is written. What KVM and the devices hold is read while the machine stands; of its memory the kernel
 * makes a copy that is written later, page for page as one of the two changes it: fork(2). The child has nothing to do but to write both files, digest
 * included, to say how that went over a pipe, and to end.
 *
 *   device loop    snapshot_behind() ---> vm_resume() ............... done(): the answer
 *                        | fork                                  ^
 *   child                +---> memory file, digest, state file --+ pipe; it ends with the monitor at the latest
 *
 * What the machine stands for is the copying of page tables, and the marking of which pages there are; each page that the guest writes
 * afterwards, for the first time, costs it one fault more.
 *
 * Thread: the device loop, which is the only one that forks (in a sandbox: fork(2) as the C library does it, and nothing else).
 */
#ifndef VMM_SNAPSHOT_BEHIND_H
#define VMM_SNAPSHOT_BEHIND_H

struct err;
struct vm;
struct snapshot_behind;

/* The files are complete, or err says why not (code 0: they are). Called once, from the loop. */
typedef void snapshot_behind_fn(void *arg, const struct err *err);

/* The machine is paused and can be saved (snapshot_can_save()). Both descriptors are borrowed for the call. 0 with *behind, which is the caller's; or
 * -errno with err: nothing is under way then. */
int snapshot_behind(struct vm *vm, int state_fd, int mem_fd, snapshot_behind_fn *fn, void *arg,
	struct snapshot_behind **behind, struct err *err);
/* fn is not called any more; the child, if it is still at it, ends with this process. NULL is fine. */
void snapshot_behind_free(struct snapshot_behind *behind);

#endif
