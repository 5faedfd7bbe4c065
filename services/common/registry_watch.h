/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices that the registry has ended, and may come back empty: a connection to it on which nothing is said. It costs nothing while the
 * registry lives, and works with any of them.
 *
 *   CLOSED --registry_watch_open()--> CONNECTING --made--> OPEN --its end, a reset--> CLOSED, lost()
 *      ^                                  |
 *      +------- refused, lost() ----------+
 *
 * brief: it lived for less than a second. A server that ends silent connections at once must not be asked all the time.
 */
#ifndef SERVICES_COMMON_REGISTRY_WATCH_H
#define SERVICES_COMMON_REGISTRY_WATCH_H

#include "services/common/endpoint.h"

#include <stdbool.h>

struct loop;
struct registry_watch;

/* at is borrowed for ever. lost() is called from the loop, and may open it again. 0 or -errno. */
typedef void registry_lost_fn(void *arg, bool brief);
int registry_watch_new(struct loop *loop, const struct endpoint *at, registry_lost_fn *lost,
	void *arg, struct registry_watch **watch);
/* The registry has just answered. Nothing happens when it is open already, or when the registry's host is a name. */
void registry_watch_open(struct registry_watch *watch);
void registry_watch_free(struct registry_watch *watch); /* NULL is fine */

#endif
