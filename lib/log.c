/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/log.h"

#include "lib/log_impl.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#define LOG_HEAD_BYTES 512 /* level, component, sentence: constants of ours */

static const char *log_component = "uigniter";
static enum log_level log_min = LOG_INFO;
static enum log_format log_format = LOG_FORMAT_TEXT;

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

void log_set_format(enum log_format format)
{
	log_format = format;
}

int log_format_parse(const char *name, enum log_format *format)
{
	bool json = strcmp(name, "json") == 0;

	if (!json && strcmp(name, "text") != 0)
		return -EINVAL;
	*format = json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	return 0;
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

void log_add(struct log_text *l, const char *text, size_t len)
{
	size_t room = sizeof(l->text) - LOG_TAIL_BYTES - l->len;

	len = len < room ? len : room;
	memcpy(l->text + l->len, text, len);
	l->len += len;
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

const char *log_take(const char *p, va_list *ap, struct log_value *v)
{
	int precision = -1;
	const char *size;
	char *end;

	if (p[1] == '.' && p[2] == '*') {
		precision = va_arg(*ap, int);
		p += 2;
	} else if (p[1] == '.') {
		precision = (int)strtol(p + 2, &end, 10);
		p = end - 1;
	}
	size = ++p;
	p += strspn(p, "lz");
	*v = (struct log_value){.max = precision, .number = "%"};
	switch (*p) {
	case 'd':
	case 'i':
		snprintf(v->number, sizeof(v->number), "%lld", take_signed(ap, size));
		break;
	case 'u':
		snprintf(v->number, sizeof(v->number), "%llu", take_unsigned(ap, size));
		break;
	case 'x':
		snprintf(v->number, sizeof(v->number), "%llx", take_unsigned(ap, size));
		break;
	case 'c':
		snprintf(v->number, sizeof(v->number), "%c", va_arg(*ap, int));
		break;
	case 'f':
	case 'g':
		snprintf(v->number, sizeof(v->number), "%.*g", precision < 0 ? 6 : precision + 6,
			va_arg(*ap, double));
		break;
	case 's':
		v->text = va_arg(*ap, const char *);
		v->text = v->text ? v->text : "-";
		break;
	case '%':
		break;
	default:
		assert(false && "a conversion that log_line() does not know");
	}
	return *p ? p + 1 : p;
}

/* --- key=value -------------------------------------------------------------------------------------------------- */
/* A value from outside: it can neither end its quotes nor begin another pair. */
static void add_value(struct log_text *l, const char *text, int max, bool quoted)
{
	for (; max-- != 0 && *text && l->len + 6 < sizeof(l->text); text++) {
		if (quoted && (*text == '"' || *text == '\\'))
			log_add(l, "\\", 1);
		log_add(l, !quoted && (*text == ' ' || *text == '"') ? "?" : text, 1);
	}
}

static void add_pairs(struct log_text *l, const char *fmt, va_list *ap)
{
	struct log_value v;
	bool quoted = false;

	while (*fmt) {
		size_t n = strcspn(fmt, "%\"");

		log_add(l, fmt, n);
		fmt += n;
		if (*fmt == '%') {
			fmt = log_take(fmt, ap, &v);
			if (v.text)
				add_value(l, v.text, v.max, quoted);
			else
				log_add(l, v.number, strlen(v.number));
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

static void as_text(struct log_text *l, const struct log_head *head, const char *fmt, va_list *ap)
{
	int len = snprintf(l->text, LOG_HEAD_BYTES, "%s level=%s component=%s msg=\"%s\"",
		head->time, head->level, head->component, head->msg);

	l->len = (size_t)len < LOG_HEAD_BYTES ? (size_t)len : LOG_HEAD_BYTES - 1;
	if (fmt) {
		log_add(l, " ", 1);
		add_pairs(l, fmt, ap);
	}
	l->text[l->len] = '\0';
	scrub(l->text);
}

/* --- a line ----------------------------------------------------------------------------------------------------- */
static void time_text(char *out, size_t size)
{
	char ms[32];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ms, sizeof(ms), ".%03ldZ", now.tv_nsec / 1000000);
	strncat(out, ms, size - strlen(out) - 1);
}

void log_line(enum log_level level, const char *msg, const char *fmt, ...)
{
	struct log_text l = {.len = 0};
	char time[48];
	struct log_head head = {time, level_names[level], log_component, msg};
	va_list ap;

	if (level < log_min)
		return;
	time_text(time, sizeof(time));
	va_start(ap, fmt);
	(log_format == LOG_FORMAT_JSON ? log_json : as_text)(&l, &head, fmt, &ap);
	va_end(ap);
	l.text[l.len++] = '\n';
	if (write(STDERR_FILENO, l.text, l.len) < 0)
		return; /* nowhere left to say so */
}
