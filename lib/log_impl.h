/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/log: a line in the making, the conversions of its pairs, and the pairs as JSON. */
#ifndef LIB_LOG_IMPL_H
#define LIB_LOG_IMPL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE_BYTES 2048
#define LOG_TAIL_BYTES                                                                             \
	4 /* there is always room for what follows a text: its quote, the brace, the end of the line */

struct log_text {
	char text[LOG_LINE_BYTES];
	size_t len;
};

/* Appends what fits. */
void log_add(struct log_text *l, const char *text, size_t len);

/* One conversion of a format and its argument. */
struct log_value {
	const char *text; /* outside text by %s, of max bytes at most (negative: all), or NULL */
	int max;
	char number[64]; /* else: as it is printed */
};

/* Takes the conversion at p, a '%': %[.N|.*][l|ll|z](d|i|u|x|s|c|f|g). Returns what is behind it. */
const char *log_take(const char *p, va_list *ap, struct log_value *value);

/* The line as an object: time, level, component and msg as they are given, then the pairs. fmt may be NULL. What does not fit is
 * left out, from the first pair that does not fit on; a text is cut. */
struct log_head {
	const char *time, *level, *component, *msg;
};
void log_json(struct log_text *l, const struct log_head *head, const char *fmt, va_list *ap);

#endif
