/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/httpd_path.h"
#include "lib/util.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int httpd_unescape(const char *in, size_t len, char *out)
{
	size_t n = 0;

	if (len > INT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)in[i];

		if (c == '%') {
			if (len - i < 3 || hex(in[i + 1]) < 0 || hex(in[i + 2]) < 0)
				return -EINVAL;
			c = hex(in[i + 1]) * 16 + hex(in[i + 2]);
			i += 2;
		}
		if (!c)
			return -EINVAL;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return (int)n;
}

/* Where the path begins: absolute-form carries scheme and authority, which were checked by nobody and mean nothing. */
static const char *skip_origin(const char *target)
{
	const char *p;

	if (strncasecmp(target, "http://", 7) != 0)
		return target;
	p = strpbrk(target + 7, "/?#");
	return p && *p == '/' ? p : "/";
}

int httpd_path_parse(struct httpd_path *p, const char *target)
{
	const char *start = skip_origin(target);
	size_t len = strcspn(start, "?#");
	const char *s = start, *end = start + len;
	_cleanup_free_ char *text = NULL;
	char *out;

	*p = (struct httpd_path){0};
	if (*start != '/' && strcmp(start, "*") != 0)
		return -EINVAL;
	/* Decoding never grows: each segment trades its slash for a NUL. */
	text = malloc(2 * (len + 2));
	if (!text)
		return -ENOMEM;
	memcpy(text, start, len);
	text[len] = '\0';
	out = text + len + 1;
	while (s < end && *s == '/') {
		const char *seg = s + 1;
		const char *stop = memchr(seg, '/', (size_t)(end - seg));
		int n;

		s = stop ? stop : end;
		if (seg == end) {
			p->trailing = true;
			break;
		}
		if (seg == s || p->count == HTTPD_SEGMENTS_MAX)
			return -EINVAL;
		n = httpd_unescape(seg, (size_t)(s - seg), out);
		if (n < 0)
			return n;
		p->seg[p->count++] = out;
		out += n + 1;
	}
	p->raw = text;
	p->text = steal_ptr(&text);
	return 0;
}

void httpd_path_fini(struct httpd_path *p)
{
	free(p->text);
	*p = (struct httpd_path){0};
}

void httpd_params_fini(struct httpd_params *params)
{
	free(params->rest);
	*params = (struct httpd_params){0};
}

/* Segments from first on, joined again. */
static char *join(const struct httpd_path *p, unsigned int first)
{
	size_t len = 1;
	char *rest, *out;

	for (unsigned int i = first; i < p->count; i++)
		len += strlen(p->seg[i]) + 1;
	rest = malloc(len);
	if (!rest)
		return NULL;
	out = rest;
	for (unsigned int i = first; i < p->count; i++) {
		if (i > first)
			*out++ = '/';
		out = stpcpy(out, p->seg[i]);
	}
	return rest;
}

/* "{rest...}" takes all that is left, "{rest*}" nothing as well: the length of the mark, or 0. */
static size_t rest_mark(const char *pat, size_t len)
{
	if (len > 5 && memcmp(pat + len - 4, "...}", 4) == 0)
		return 3;
	return len > 3 && memcmp(pat + len - 2, "*}", 2) == 0 ? 1 : 0;
}

/* One pattern segment against one path segment: 1 fits, 0 does not, 2 fits and takes the rest. */
static int match_segment(const struct httpd_path *p, unsigned int i, const char *pat, size_t len,
	bool lenient, struct httpd_params *params)
{
	const char *seg = i < p->count ? p->seg[i] : NULL;

	if (pat[0] != '{') {
		if (!seg || strlen(seg) != len)
			return 0;
		return (lenient ? strncasecmp(seg, pat, len) : strncmp(seg, pat, len)) == 0;
	}
	size_t rest = rest_mark(pat, len);

	if (!seg && rest != 1)
		return 0;
	if (params->count == HTTPD_PARAMS_MAX)
		return 0;
	params->item[params->count].name = pat + 1;
	params->item[params->count].name_len = len - 2 - rest;
	params->item[params->count].value = seg;
	if (rest) {
		params->rest = join(p, i);
		if (!params->rest)
			return 0;
		params->item[params->count].value = params->rest;
	}
	params->count++;
	return rest ? 2 : 1;
}

bool httpd_path_match(
	const struct httpd_path *p, const char *pattern, bool lenient, struct httpd_params *params)
{
	unsigned int i = 0;
	const char *s = pattern;

	*params = (struct httpd_params){0};
	while (s[0] == '/' && s[1]) {
		size_t len = strcspn(s + 1, "/");
		int fit = match_segment(p, i, s + 1, len, lenient, params);

		if (!fit)
			goto no;
		if (fit == 2)
			return true;
		s += len + 1;
		i++;
	}
	if (i != p->count)
		goto no;
	/* "/" itself is the one path that ends in a slash by nature. */
	if (p->trailing && p->count && !lenient)
		goto no;
	return p->count > 0 || p->trailing;
no:
	httpd_params_fini(params);
	return false;
}
