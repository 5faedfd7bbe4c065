/* SPDX-License-Identifier: Apache-2.0 */
/* A POSIX message queue (mq_overview(7)): its messages, who waits at it, and whom to tell. mqueue.c has the names and calls, mqueue_data.c this. */
#ifndef LIBOS_IPC_MQUEUE_H
#define LIBOS_IPC_MQUEUE_H

#include "abi/types.h"
#include "libos/fs/file.h"
#include "libos/klib/list.h"

#include <stdint.h>

struct mq_attr { /* of the system calls */
	int64_t flags, maxmsg, msgsize, curmsgs, reserved[4];
};
ABI_ASSERT_SIZE(struct mq_attr, 64);

struct mq_message {
	struct list link;
	uint64_t bytes;
	uint32_t prio;
	char text[];
};

/* Who wants to hear of a message that finds the queue empty. */
struct mq_notice {
	int notify, signo; /* SIGEV_ */
	uint64_t value;
	struct file *socket; /* SIGEV_THREAD, with a reference */
	char cookie[32];
};

struct mqueue {
	struct mq_attr attr; /* flags and curmsgs are not kept here */
	uint64_t count, bytes;
	struct list messages;           /* by priority, then as they came */
	struct list senders, receivers; /* of struct mq_waiter, as they came */
	struct pollable pollable;
	unsigned files; /* open descriptions */
	bool noticed;
	struct mq_notice notice;
};

struct mqueue *mqueue_new(const struct mq_attr *attr); /* NULL: no memory */
void mqueue_free(struct mqueue *q);                    /* nobody waits at it */
uint32_t mqueue_poll(const struct mqueue *q);

/* Takes m over on success. 0, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS. */
int mqueue_send(struct mqueue *q, struct mq_message *m, bool nonblock, uint64_t deadline);
/* The first message, which the caller frees. Errors as above. */
int mqueue_receive(struct mqueue *q, struct mq_message **m, bool nonblock, uint64_t deadline);
/* Nobody is to be told any more. */
void mqueue_forget_notice(struct mqueue *q);

#endif
