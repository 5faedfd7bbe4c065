/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start of an instance, told as it goes: for `run --wait`. The manager is not asked to hold its answer back, but for the
 * instance at once, and then how far that is, by long polls. So each step is shown when it is reached, and a signal that
 * comes in between knows which instance to end.
 *
 *   asking for a VM -> waiting for a prepared VM -> booting -> running, waiting until it is ready -> ready
 */
#ifndef CLI_RUN_START_H
#define CLI_RUN_START_H

#include "lib/err.h"

#include <jansson.h>

struct api;
struct args;

struct run_start {
	const struct args *args;
	struct api *api;
	json_t *body; /* of POST /vm/run; borrowed, what it says of waiting is changed */
	/* The instance has an id from now on. NULL is fine. */
	void (*made)(void *arg, const char *id);
	void *arg;
};

/*
 * 0 and *vm, a new reference; or -errno with the manager's sentence, and *vm a problem with the member vm_id, when there is an
 * instance all the same.
 */
int run_start(const struct run_start *start, json_t **vm, struct err *err);

#endif
