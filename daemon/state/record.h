/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance as JSON, for the state database: all that a later manager must know to go on with it. Times of day are in
 * ns since the epoch, others in ns of the monotonic clock (only their differences are used).
 */
#ifndef DAEMON_STATE_RECORD_H
#define DAEMON_STATE_RECORD_H

#include "daemon/instance/instance.h"

/* A new reference; NULL without memory. */
json_t *record_of(const struct instance *inst);

/* Fills an instance that is all zero but for core, from a record. What it allocates belongs to the instance, also on
 * failure: 0, -EINVAL or -ENOMEM with err. */
int record_load(struct instance *inst, const char *text, size_t len, struct err *err);

/* A part of it that other records have too: an image by name, file and configuration. A reference for the caller, NULL with err. */
json_t *record_image(const struct image *image);
struct image *record_load_image(struct core *core, const json_t *record, struct err *err);

#endif
