/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of a POSIX queue. Who waits is served by who comes: a sender hands its message to the first receiver that waits, a receiver puts the
 * message of the first sender that waits into the room it made. So nobody overtakes, and a message that somebody waited for is no news to mq_notify(2).
 */
#include "libos/ipc/mqueue.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/net/netlink.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"

#define SIGEV_SIGNAL 0
#define SIGEV_THREAD 2
#define SI_MESGQ     (-3)
#define PROCESS_ID   1

#define COOKIE_WOKEN   1 /* last byte of the cookie */
#define COOKIE_REMOVED 2

struct mq_waiter {
	struct list link;
	struct waitq wait;
	struct mq_message *message; /* a sender's own; what a receiver got */
};

struct mqueue *mqueue_new(const struct mq_attr *attr)
{
	struct mqueue *q = kzalloc(sizeof(*q));

	if (!q)
		return NULL;
	q->attr = *attr;
	list_init(&q->messages);
	list_init(&q->senders);
	list_init(&q->receivers);
	pollable_init(&q->pollable);
	return q;
}

void mqueue_free(struct mqueue *q)
{
	struct list *l;

	while ((l = list_pop(&q->messages)))
		kfree(container_of(l, struct mq_message, link));
	kfree(q);
}

uint32_t mqueue_poll(const struct mqueue *q)
{
	return (q->count ? POLLIN : 0) | (q->count < (uint64_t)q->attr.maxmsg ? POLLOUT : 0);
}

/* ---- notices */
static void tell_socket(struct mq_notice *n, char how)
{
	n->cookie[sizeof(n->cookie) - 1] = how;
	netlink_post(n->socket, n->cookie, sizeof(n->cookie));
	file_put(n->socket);
	n->socket = NULL;
}

void mqueue_forget_notice(struct mqueue *q)
{
	if (q->noticed && q->notice.notify == SIGEV_THREAD)
		tell_socket(&q->notice, COOKIE_REMOVED);
	q->noticed = false;
}

static void tell(struct mqueue *q)
{
	struct siginfo info = {.signo = q->notice.signo,
		.code = SI_MESGQ,
		.sender = {PROCESS_ID, cred.uid.real, q->notice.value}};

	if (!q->noticed)
		return;
	q->noticed = false;
	if (q->notice.notify == SIGEV_THREAD)
		tell_socket(&q->notice, COOKIE_WOKEN);
	else if (q->notice.notify == SIGEV_SIGNAL && q->notice.signo)
		signal_send_process(&info);
}

/* ---- messages */
static void insert(struct mqueue *q, struct mq_message *m)
{
	struct list *after = q->messages.prev;

	while (after != &q->messages &&
		container_of(after, struct mq_message, link)->prio < m->prio)
		after = after->prev;
	list_add_head(after, &m->link);
	q->count++;
	q->bytes += m->bytes;
}

static struct mq_message *take(struct mqueue *q)
{
	struct mq_message *m = container_of(list_pop(&q->messages), struct mq_message, link);

	q->count--;
	q->bytes -= m->bytes;
	return m;
}

/* Until somebody serves it: then it is off the list. */
static int wait_in(struct list *line, struct mq_waiter *w, uint64_t deadline)
{
	int rc = 0;

	waitq_init(&w->wait);
	list_add_tail(line, &w->link);
	while (!list_empty(&w->link) && !rc)
		rc = waitq_wait(&w->wait, deadline);
	if (list_empty(&w->link))
		return 0;
	list_del(&w->link);
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

static struct mq_waiter *serve(struct list *line)
{
	struct list *l = list_pop(line);
	struct mq_waiter *w = l ? container_of(l, struct mq_waiter, link) : NULL;

	if (w)
		waitq_wake_all(&w->wait);
	return w;
}

int mqueue_send(struct mqueue *q, struct mq_message *m, bool nonblock, uint64_t deadline)
{
	struct mq_waiter self = {.message = m}, *receiver;

	if (q->count >= (uint64_t)q->attr.maxmsg)
		return nonblock ? -EAGAIN : wait_in(&q->senders, &self, deadline);
	receiver = serve(&q->receivers);
	if (receiver) {
		receiver->message = m;
		return 0;
	}
	insert(q, m);
	if (q->count == 1)
		tell(q);
	poll_notify(&q->pollable, POLLIN);
	return 0;
}

int mqueue_receive(struct mqueue *q, struct mq_message **m, bool nonblock, uint64_t deadline)
{
	struct mq_waiter self = {0}, *sender;

	if (!q->count) {
		int rc = nonblock ? -EAGAIN : wait_in(&q->receivers, &self, deadline);

		*m = self.message;
		return rc;
	}
	*m = take(q);
	sender = serve(&q->senders);
	if (sender)
		insert(q, sender->message);
	else
		poll_notify(&q->pollable, POLLOUT);
	return 0;
}
