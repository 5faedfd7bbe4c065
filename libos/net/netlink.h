/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink sockets as others in the libOS use them: to hand something to whoever reads there (mq_notify(3) waits that way). */
#ifndef LIBOS_NET_NETLINK_H
#define LIBOS_NET_NETLINK_H

#include <stddef.h>

struct file;

/* 0, -ENOTSOCK, or -EINVAL: a socket of another family. */
int netlink_is(const struct file *f);
/* One datagram; dropped when the queue is full or there is no memory. */
void netlink_post(struct file *f, const void *data, size_t n);

#endif
