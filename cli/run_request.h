/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `uigniter run` as the body of POST /vm/run. */
#ifndef CLI_RUN_REQUEST_H
#define CLI_RUN_REQUEST_H

#include "lib/err.h"

#include <jansson.h>

struct args;

/* What is run: the image, or the snapshot of --from. */
const char *run_subject(const struct args *args);

/* *body: a new object. -EINVAL with a sentence that names the option, -ENOMEM. */
int run_request(const struct args *args, json_t **body, struct err *err);

/* Only the fields that say what is run, and how large: of the options --monitor, --network, --memory, --cpus, --trace, --volume, --env, --label
 * and the program's words. Adds to body. */
int run_request_program(const struct args *args, json_t *body, struct err *err);

/* Of these only --memory, --env and the program's words. */
int run_request_words(const struct args *args, json_t *body, struct err *err);

/* "[[ADDR:]HOST:]GUEST" as {address, host, guest}; host 0 or absent is any free port. NULL when it is none. */
json_t *parse_port(const char *s);

/* "SRC:TARGET[:ro]" as {source, target, read_only}; SRC may be relative to the folder that one is in. NULL when it is none, or
 * there is no SRC (errno). */
json_t *parse_volume(const char *s);

#endif
