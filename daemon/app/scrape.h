/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GET of a page of an instance, from inside the instances' network, as HTTP/1.0: the answer ends with the connection. What comes
 * is at most SCRAPE_BYTES long and is there within SCRAPE_NS.
 */
#ifndef DAEMON_APP_SCRAPE_H
#define DAEMON_APP_SCRAPE_H

#include "lib/util.h"

#include <stddef.h>
#include <stdint.h>

#define SCRAPE_BYTES (256 * KIB)
#define SCRAPE_NS    (2 * NS_PER_S)

struct loop;
struct network;
struct scrape;

/* Called once from the loop, never inside scrape_start(): the whole answer, or 0 bytes and -errno. The scrape is gone then. */
typedef void scrape_fn(void *arg, int code, const char *answer, size_t len);

/* 0 or -errno. */
int scrape_start(struct loop *loop, const struct network *net, uint32_t ip, uint16_t port,
	const char *path, scrape_fn *fn, void *arg, struct scrape **scrape);
void scrape_cancel(struct scrape *scrape); /* NULL is fine */

#endif
