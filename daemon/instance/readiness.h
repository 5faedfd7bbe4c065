/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out when a TCP port of an instance takes connections, by connecting from inside the instances' network. A
 * refused or unanswered attempt is followed by another after a pause that grows from 1 ms to 1 s; how long an answer may take
 * grows too.
 */
#ifndef DAEMON_INSTANCE_READINESS_H
#define DAEMON_INSTANCE_READINESS_H

#include <stdint.h>

struct loop;
struct network;
struct readiness;

/* fn is called once, from the loop; the probe still has to be freed. 0 or -errno. */
int readiness_new(struct loop *loop, const struct network *net, uint32_t ip, uint16_t port,
	void (*fn)(void *arg), void *arg, struct readiness **readiness);
void readiness_free(struct readiness *readiness); /* NULL is fine */

#endif
