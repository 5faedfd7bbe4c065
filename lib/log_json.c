/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines as JSON (RFC 8259), one object a line. The pairs of the format become members: a value that is one number is a
 * number, all else a string. Bytes that are no UTF-8 become U+FFFD, so that each line is JSON whatever a value holds; no value
 * can end its string, its line, or begin another member.
 */
#include "lib/log_impl.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ESCAPE_BYTES 6 /* of the longest form of a character: \u0000 */

/* For so many bytes, and the quote behind them. */
static bool has_room(const struct log_text *l, size_t bytes)
{
	return l->len + bytes + 1 + LOG_TAIL_BYTES <= sizeof(l->text);
}

/* Bytes of the UTF-8 character at s, of n bytes at most; 0: it is none. Overlong forms and surrogates are none. */
static size_t utf8_bytes(const unsigned char *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80  ? 1
		: s[0] >> 5 == 6  ? 2
		: s[0] >> 4 == 14 ? 3
		: s[0] >> 3 == 30 ? 4
				  : 0;
	uint32_t c = len > 1 ? s[0] & (0x7fu >> len) : s[0];

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return (len > 1 && c < least[len]) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

static void add_text(struct log_text *l, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	while (len && has_room(l, ESCAPE_BYTES)) {
		size_t n = utf8_bytes(s, len);
		char escape[ESCAPE_BYTES + 1];

		if (*s == '"' || *s == '\\')
			snprintf(escape, sizeof(escape), "\\%c", *s);
		else if (!n || *s < 0x20 || *s == 0x7f)
			snprintf(escape, sizeof(escape), "\\u%04x", n ? *s : 0xfffdu);
		else
			escape[0] = '\0';
		log_add(l, *escape ? escape : (const char *)s, *escape ? strlen(escape) : n);
		s += n ? n : 1;
		len -= n ? n : 1;
	}
}

static void add_value(struct log_text *l, const struct log_value *v)
{
	const char *text = v->text ? v->text : v->number;

	add_text(l, text, v->text && v->max >= 0 ? strnlen(text, (size_t)v->max) : strlen(text));
}

/* -?[0-9]+(.[0-9]+)?(e[+-][0-9]+)?, which is what printf makes of a number that is finite; and no zeros before others. */
static bool is_number(const char *s)
{
	s += *s == '-';
	return *s >= '0' && *s <= '9' && s[strspn(s, "0123456789.e+-")] == '\0';
}

/* A value up to the blank behind it. Returns where that is. */
static const char *add_pair_value(struct log_text *l, const char *p, va_list *ap)
{
	struct log_value v;
	bool quoted = false, first = true;

	while (*p && (quoted || *p != ' ')) {
		if (*p != '%') {
			if (first)
				log_add(l, "\"", 1);
			if (*p == '"')
				quoted = !quoted;
			else
				add_text(l, p, 1);
			p++;
			first = false;
			continue;
		}
		bool decimal = strchr("diufg", p[1 + strspn(p + 1, ".*0123456789lz")]) != NULL;

		p = log_take(p, ap, &v);
		if (first && (!*p || *p == ' ') && decimal && is_number(v.number)) {
			log_add(l, v.number, strlen(v.number));
			return p;
		}
		if (first)
			log_add(l, "\"", 1);
		add_value(l, &v);
		first = false;
	}
	log_add(l, first ? "\"\"" : "\"", first ? 2 : 1);
	return p;
}

static void add_member(struct log_text *l, const char *name, const char *value)
{
	log_add(l, l->len ? ",\"" : "{\"", 2);
	log_add(l, name, strlen(name));
	log_add(l, "\":\"", 3);
	add_text(l, value, strlen(value));
	log_add(l, "\"", 1);
}

void log_json(struct log_text *l, const struct log_head *head, const char *fmt, va_list *ap)
{
	add_member(l, "time", head->time);
	add_member(l, "level", head->level);
	add_member(l, "component", head->component);
	add_member(l, "msg", head->msg);
	while (fmt && *fmt) {
		size_t blanks = strspn(fmt, " "), n = strcspn(fmt + blanks, "= ");
		const char *key = fmt + blanks;

		/* a number has room, too: it is shorter than what is asked for here */
		if (!n || key[n] != '=' ||
			!has_room(l, n + 2 * sizeof(((struct log_value *)0)->number)))
			break;
		log_add(l, ",\"", 2);
		add_text(l, key, n);
		log_add(l, "\":", 2);
		fmt = add_pair_value(l, key + n + 1, ap);
	}
	l->text[l->len++] = '}';
}
