/* SPDX-License-Identifier: Apache-2.0 */
/* Formatted output into a buffer: the subset that string.h names. Returns the length it would have had, as C99 says. */
#include "libos/klib/string.h"

#include <stdbool.h>

struct out {
	char *dst;
	size_t size, len;
};

struct spec {
	bool left, zero, plus, alt;
	int width, precision; /* precision -1: not given */
	int size;             /* -2 hh, -1 h, 0 int, 1 l, 2 ll or z */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->dst[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text, size_t n)
{
	int fill = s->width - (int)n;

	if (!s->left)
		pad(o, ' ', fill);
	for (size_t i = 0; i < n; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', fill);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, char conv, bool negative)
{
	const char *digits = conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned base = conv == 'x' || conv == 'X' ? 16 : conv == 'o' ? 8 : 10;
	char text[24], sign[2] = {0};
	int n = 0, nsign = 0, zeros;
	bool prefix = s->alt && base == 16 && v;

	for (uint64_t rest = v; rest; rest /= base)
		text[n++] = digits[rest % base];
	if (negative || s->plus)
		sign[nsign++] = negative ? '-' : '+';
	zeros = s->precision >= 0 ? s->precision - n : !n;
	if (s->alt && base == 8 && zeros < 1)
		zeros = 1;
	if (zeros < 0)
		zeros = 0;
	if (prefix)
		nsign += 2;
	if (s->zero && !s->left && s->precision < 0 && zeros < s->width - nsign - n)
		zeros = s->width - nsign - n;
	if (!s->left)
		pad(o, ' ', s->width - nsign - zeros - n);
	if (sign[0])
		put(o, sign[0]);
	if (prefix) {
		put(o, '0');
		put(o, conv);
	}
	pad(o, '0', zeros);
	for (int i = n; i > 0; i--)
		put(o, text[i - 1]);
	if (s->left)
		pad(o, ' ', s->width - nsign - zeros - n);
}

static int64_t take_signed(const struct spec *s, va_list *ap)
{
	switch (s->size) {
	case -2:
		return (signed char)va_arg(*ap, int);
	case -1:
		return (short)va_arg(*ap, int);
	case 0:
		return va_arg(*ap, int);
	default:
		return va_arg(*ap, long);
	}
}

static uint64_t take_unsigned(const struct spec *s, va_list *ap)
{
	switch (s->size) {
	case -2:
		return (unsigned char)va_arg(*ap, unsigned);
	case -1:
		return (unsigned short)va_arg(*ap, unsigned);
	case 0:
		return va_arg(*ap, unsigned);
	default:
		return va_arg(*ap, unsigned long);
	}
}

static int take_int(const char **fmt, va_list *ap)
{
	int v = 0;

	if (**fmt == '*') {
		++*fmt;
		return va_arg(*ap, int);
	}
	for (; **fmt >= '0' && **fmt <= '9' && v < 10000; ++*fmt)
		v = v * 10 + (**fmt - '0');
	return v;
}

static const char *parse_spec(const char *fmt, struct spec *s, va_list *ap)
{
	*s = (struct spec){.precision = -1};
	for (;; fmt++) {
		if (*fmt == '-')
			s->left = true;
		else if (*fmt == '0')
			s->zero = true;
		else if (*fmt == '+')
			s->plus = true;
		else if (*fmt == '#')
			s->alt = true;
		else
			break;
	}
	s->width = take_int(&fmt, ap);
	if (s->width < 0) {
		s->left = true;
		s->width = -s->width;
	}
	if (*fmt == '.') {
		fmt++;
		s->precision = take_int(&fmt, ap);
	}
	for (;; fmt++) {
		if (*fmt == 'h')
			s->size--;
		else if (*fmt == 'l')
			s->size++;
		else if (*fmt == 'z')
			s->size = 2;
		else
			return fmt;
	}
}

static void convert(struct out *o, const struct spec *s, char conv, va_list *ap)
{
	const char *text;
	int64_t v;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		v = take_signed(s, ap);
		put_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 'u', v < 0);
		return;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_number(o, s, take_unsigned(s, ap), conv, false);
		return;
	case 'p':
		put_number(o, &(struct spec){.alt = true, .precision = -1, .width = s->width},
			(uintptr_t)va_arg(*ap, void *), 'x', false);
		return;
	case 'c':
		c = (char)va_arg(*ap, int);
		put_text(o, s, &c, 1);
		return;
	case 's':
		text = va_arg(*ap, const char *);
		if (!text)
			text = "(null)";
		put_text(o, s, text,
			s->precision >= 0 ? strnlen(text, (size_t)s->precision) : strlen(text));
		return;
	default:
		put(o, '%');
		if (conv != '%')
			put(o, conv);
		return;
	}
}

int vsnprintf(char *dst, size_t size, const char *fmt, va_list args)
{
	struct out o = {.dst = dst, .size = size};
	struct spec s;
	va_list ap;

	va_copy(ap, args);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse_spec(fmt + 1, &s, &ap);
		if (!*fmt)
			break;
		convert(&o, &s, *fmt, &ap);
	}
	va_end(ap);
	if (size)
		dst[o.len < size ? o.len : size - 1] = 0;
	return (int)o.len;
}

int snprintf(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(dst, size, fmt, ap);
	va_end(ap);
	return n;
}
