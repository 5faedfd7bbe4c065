/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks an instance over HTTP, one request after the other, from inside the instances' network: what a program does only when it is asked for
 * the first time (compile, import, allocate) is done then, and stands in the template that is made of it. The answers are read and
 * forgotten; a request is over when the connection ends, or the answer pauses for QUIET, or nothing comes in time. One that gets
 * no answer at all is the last.
 */
#ifndef DAEMON_TEMPLATE_EXERCISE_H
#define DAEMON_TEMPLATE_EXERCISE_H

#include <stdint.h>

struct exercise;
struct loop;
struct network;

#define EXERCISE_PATH_BYTES 256
#define EXERCISE_REQUESTS                                                                          \
	20 /* where nobody says how many: what node compiles and python imports is done after three */
#define EXERCISE_REQUESTS_MAX 1000

struct exercise_spec {
	uint32_t ip;
	uint16_t port;
	char path[EXERCISE_PATH_BYTES];
	unsigned requests;
};

/* fn is called once, from the loop, with the number of requests that were answered; it frees the exercise. 0 or -errno. */
typedef void exercise_fn(void *arg, unsigned answered);
int exercise_new(struct loop *loop, const struct network *net, const struct exercise_spec *spec,
	exercise_fn *fn, void *arg, struct exercise **exercise);
void exercise_free(struct exercise *exercise); /* NULL is fine */

#endif
