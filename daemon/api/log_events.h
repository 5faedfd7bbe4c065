/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console as server-sent events (WHATWG HTML, "Server-sent events"): a line is an event, its id the offset of the byte behind it, so
 * that Last-Event-ID is where to go on. Carriage returns are line ends to readers of events: those inside a line begin another `data`
 * field, one before the line feed is left out. Pure functions.
 */
#ifndef DAEMON_API_LOG_EVENTS_H
#define DAEMON_API_LOG_EVENTS_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_MAX_BYTES (8 * KIB) /* longer lines become several events */

/* Appends the event of the first line of data, which begins at this offset of the console. last: nothing comes behind data, so that a line
 * without its end is one too. Returns the bytes of data that the event stands for; 0: the line is not complete. Or -ENOMEM. */
ssize_t log_event(struct buf *out, uint64_t offset, const char *data, size_t len, bool last);
/* A Last-Event-ID. false: it is none of ours. */
bool log_event_id(const char *text, uint64_t *offset);

#endif
