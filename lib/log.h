/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one file that writes log lines: to stderr, one line a call, as
 *   2026-01-02T03:04:05.678Z level=info component=uigniterd msg="..." key=value ...
 * or as JSON (lib/log_json.c):
 *   {"time":"2026-01-02T03:04:05.678Z","level":"info","component":"uigniterd","msg":"...","key":"value",...}
 * The caller gives the key=value part. What comes by %s is outside text: in quotes ("%s") its quotes and backslashes are escaped,
 * without them its blanks and quotes become "?", so that no value can end early or look like another pair. Conversions:
 * d i u x s c f g with l ll z, and a precision. Thread-safe (one write per line).
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/util.h"

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* component: a string that outlives all calls. Lines below min are dropped. */
void log_init(const char *component, enum log_level min);

/* msg is a short constant sentence; fmt (may be NULL) the key=value pairs. */
void log_line(enum log_level level, const char *msg, const char *fmt, ...) _printf_(3, 4);

#define log_debug(msg, ...) log_line(LOG_DEBUG, msg, __VA_ARGS__)
#define log_info(msg, ...)  log_line(LOG_INFO, msg, __VA_ARGS__)
#define log_warn(msg, ...)  log_line(LOG_WARN, msg, __VA_ARGS__)
#define log_error(msg, ...) log_line(LOG_ERROR, msg, __VA_ARGS__)

/* Name of a level ("info"), and back; -EINVAL for an unknown name. */
const char *log_level_name(enum log_level level);
int log_level_parse(const char *name, enum log_level *level);

/* How lines are written from now on; text at first. Before there is a second thread. */
void log_set_format(enum log_format format);
/* "text" or "json"; -EINVAL for another name. */
int log_format_parse(const char *name, enum log_format *format);

#endif
