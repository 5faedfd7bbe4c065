/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of --format. */
#include "cli/format_impl.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* "ip" means what the column IP shows. */
static const json_t *by_header(
	const struct format *f, const json_t *object, const char *key, size_t len)
{
	for (size_t i = 0; i < f->ncolumns; i++) {
		const struct column *c = &f->columns[i];

		if (strlen(c->header) == len && !strncasecmp(c->header, key, len))
			return format_field(object, c->key, strlen(c->key));
	}
	return NULL;
}

static int print_key(const struct format *f, const json_t *object, const char *key, size_t len,
	struct buf *out, struct err *err)
{
	const json_t *v = format_field(object, key, len);

	if (!v)
		v = by_header(f, object, key, len);
	if (!v)
		return err_set(err, EINVAL,
			"--format: there is no field \"%.*s\" (see: --format json)",
			(int)(len > 100 ? 100 : len), key);
	return format_value(out, v);
}

static char escaped(char c)
{
	switch (c) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	default:
		return c;
	}
}

int template_print(const struct format *f, const json_t *object, struct buf *out, struct err *err)
{
	const char *t = f->template;
	int rc = 0;

	while (*t && !rc) {
		if ((t[0] == '{' || t[0] == '}') && t[1] == t[0]) {
			rc = buf_add(out, t, 1);
			t += 2;
		} else if (*t == '{') {
			size_t len = strcspn(++t, "}");

			if (!t[len])
				return err_set(err, EINVAL, "--format: a { is not closed");
			rc = print_key(f, object, t, len, out, err);
			t += len + 1;
		} else if (*t == '\\' && t[1]) {
			rc = buf_add(out, &(char){escaped(t[1])}, 1);
			t += 2;
		} else {
			rc = buf_add(out, t++, 1);
		}
	}
	return rc ? rc : buf_addstr(out, "\n");
}
