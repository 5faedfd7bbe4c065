/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST interface on the Unix socket: Firecracker's, and what it lacks under /uigniter/. Everything runs on the device
 * loop's thread. A long poll is kept until its milestone, the end of the VM, or its time-out.
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include <stdint.h>

struct control;
struct err;
struct loop;
struct vm;

struct control_config {
	struct loop *loop;
	struct vm *vm;
	const char *id;
	const char *sock_path; /* NULL: none */
	int sock_fd;           /* a listening socket, taken; -1: none */
	/* Asks the owner to stop the VM: TERM to the guest, the end after grace_ms (-1: the owner's default). */
	void (*stop)(void *arg, int64_t grace_ms);
	void *arg;
};

/* Listens. 0 or -errno. */
int control_new(const struct control_config *config, struct control **control, struct err *err);
void control_free(struct control *control);

/* A milestone was reached or the VM has ended: long polls are looked at. */
void control_news(struct control *control);

/* After the end: no new requests; done(arg) when the answers are out. */
void control_finish(struct control *control, void (*done)(void *arg), void *arg);

#endif
