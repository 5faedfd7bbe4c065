/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define LOG_LINE_BYTES 2048

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
	char line[LOG_LINE_BYTES];
	struct timespec now;
	struct tm tm;
	size_t n;
	int len;

	if (level < log_min)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	len = snprintf(line + n, sizeof(line) - n, ".%03ldZ level=%s component=%s msg=\"%s\"",
		now.tv_nsec / 1000000, level_names[level], log_component, msg);
	n += (size_t)len;
	if (n < sizeof(line) - 2 && fmt) {
		va_list ap;

		line[n++] = ' ';
		va_start(ap, fmt);
		len = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
		va_end(ap);
		n += (size_t)len;
	}
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\0';
	scrub(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}
