/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to the state database that must not get lost when the disk is full or fails for a while: a row is written at once,
 * and where that fails again each second until it is. The newest word on a row wins. What is still to be written when the
 * manager is killed is lost: then its successor finds VMs without a record, and ends them, or a record too many.
 */
#ifndef DAEMON_STATE_KEEP_H
#define DAEMON_STATE_KEEP_H

#include "daemon/state/db.h"

#include <jansson.h>

struct keep;
struct loop;

/* Both stay the caller's and outlive it. 0 or -ENOMEM. */
int keep_new(struct state_db *db, struct loop *loop, struct keep **keep);
/* Tries a last time. NULL is fine. */
void keep_free(struct keep *keep);

/* 0, or -EIO with err: it is tried again. -ENOMEM with err: it is not. */
int keep_put(struct keep *keep, enum state_table table, const char *id, const char *record,
	struct err *err);
/* The same of a record as JSON, which stays the caller's; NULL: there was no memory for it. */
int keep_put_json(struct keep *keep, enum state_table table, const char *id, const json_t *record,
	struct err *err);
int keep_delete(struct keep *keep, enum state_table table, const char *id, struct err *err);

/* Rows that are still to be written. */
unsigned keep_waiting(const struct keep *keep);

#endif
