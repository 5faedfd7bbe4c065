/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#define LOG_LINE_BYTES 2048
#define LOG_HEAD_BYTES 512 /* level, component, sentence: constants of ours */

static const char *log_component = "uigniter";
static enum log_level log_min = LOG_INFO;

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

void log_init(const char *component, enum log_level min)
{
	log_component = component;
	log_min = min;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

int log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* A line in the making; there is always room for what follows a text: its quote, the end of the line. */
struct line {
	char text[LOG_LINE_BYTES];
	size_t len;
};

static void add(struct line *l, const char *text, size_t len)
{
	size_t room = sizeof(l->text) - 4 - l->len;

	len = len < room ? len : room;
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

/* A value from outside: it can neither end its quotes nor begin another pair. */
static void add_value(struct line *l, const char *text, int max, bool quoted)
{
	for (; *text && max-- != 0 && l->len + 6 < sizeof(l->text); text++) {
		if (quoted && (*text == '"' || *text == '\\'))
			add(l, "\\", 1);
		add(l, !quoted && (*text == ' ' || *text == '"') ? "?" : text, 1);
	}
}

static long long take_signed(va_list *ap, const char *size)
{
	if (*size == 'z')
		return (long long)va_arg(*ap, ssize_t);
	if (*size != 'l')
		return va_arg(*ap, int);
	return size[1] == 'l' ? va_arg(*ap, long long) : va_arg(*ap, long);
}

static unsigned long long take_unsigned(va_list *ap, const char *size)
{
	if (*size == 'z')
		return va_arg(*ap, size_t);
	if (*size != 'l')
		return va_arg(*ap, unsigned int);
	return size[1] == 'l' ? va_arg(*ap, unsigned long long) : va_arg(*ap, unsigned long);
}

/* One conversion: %[.N|.*][l|ll|z](d|i|u|x|s|c|f|g). Returns what is behind it. */
static const char *add_conversion(struct line *l, const char *p, bool quoted, va_list *ap)
{
	char number[64] = "%", *end;
	int precision = -1;
	const char *size;

	if (p[1] == '.' && p[2] == '*') {
		precision = va_arg(*ap, int);
		p += 2;
	} else if (p[1] == '.') {
		precision = (int)strtol(p + 2, &end, 10);
		p = end - 1;
	}
	size = ++p;
	p += strspn(p, "lz");
	switch (*p) {
	case 'd':
	case 'i':
		snprintf(number, sizeof(number), "%lld", take_signed(ap, size));
		break;
	case 'u':
		snprintf(number, sizeof(number), "%llu", take_unsigned(ap, size));
		break;
	case 'x':
		snprintf(number, sizeof(number), "%llx", take_unsigned(ap, size));
		break;
	case 'c':
		snprintf(number, sizeof(number), "%c", va_arg(*ap, int));
		break;
	case 'f':
	case 'g':
		snprintf(number, sizeof(number), "%.*g", precision < 0 ? 6 : precision + 6,
			va_arg(*ap, double));
		break;
	case 's': {
		const char *text = va_arg(*ap, const char *);

		add_value(l, text ? text : "-", precision, quoted);
		return p + 1;
	}
	case '%':
		break;
	default:
		assert(false && "a conversion that log_line() does not know");
	}
	add(l, number, strlen(number));
	return *p ? p + 1 : p;
}

static void add_pairs(struct line *l, const char *fmt, va_list *ap)
{
	bool quoted = false;

	while (*fmt) {
		size_t n = strcspn(fmt, "%\"");

		add(l, fmt, n);
		fmt += n;
		if (*fmt == '%') {
			fmt = add_conversion(l, fmt, quoted, ap);
		} else if (*fmt) {
			quoted = !quoted;
			/* the quote at the end has room also when its text was cut */
			l->text[l->len++] = *fmt++;
			l->len -= l->len > sizeof(l->text) - 3;
		}
	}
}

/* Control characters from outside must not forge lines. */
static void scrub(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

void log_line(enum log_level level, const char *msg, const char *fmt, ...)
{
	struct line l = {.len = 0};
	struct timespec now;
	struct tm tm;
	int len;

	if (level < log_min)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	l.len = strftime(l.text, sizeof(l.text), "%Y-%m-%dT%H:%M:%S", &tm);
	len = snprintf(l.text + l.len, LOG_HEAD_BYTES, ".%03ldZ level=%s component=%s msg=\"%s\"",
		now.tv_nsec / 1000000, level_names[level], log_component, msg);
	l.len += (size_t)len < LOG_HEAD_BYTES ? (size_t)len : LOG_HEAD_BYTES - 1;
	if (fmt) {
		va_list ap;

		add(&l, " ", 1);
		va_start(ap, fmt);
		add_pairs(&l, fmt, &ap);
		va_end(ap);
	}
	l.text[l.len] = '\0';
	scrub(l.text);
	l.text[l.len++] = '\n';
	if (write(STDERR_FILENO, l.text, l.len) < 0)
		return; /* nowhere left to say so */
}
