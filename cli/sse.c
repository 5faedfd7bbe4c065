/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sse.h"

#include "lib/util.h"

#include <errno.h>
#include <string.h>

#define LINE_MAX_BYTES (1 * MIB)

void sse_init(struct sse *s, sse_fn *fn, void *arg)
{
	*s = (struct sse){.fn = fn, .arg = arg};
	buf_init(&s->line, LINE_MAX_BYTES);
}

void sse_fini(struct sse *s)
{
	buf_fini(&s->line);
}

static int take_line(struct sse *s)
{
	static const char data[] = "data: ", named[] = "event: ";
	const char *line = s->line.data ? s->line.data : "";
	int rc = 0;

	if (strncmp(line, named, sizeof(named) - 1) == 0) {
		s->named = true;
		rc = strcmp(line + sizeof(named) - 1, "gap") == 0 ? s->fn(s->arg, NULL) : 0;
	} else if (strncmp(line, data, sizeof(data) - 1) == 0 && !s->named) {
		rc = s->fn(s->arg, line + sizeof(data) - 1);
	} else if (!*line) {
		s->named = false;
	}
	buf_consume(&s->line, s->line.len);
	return rc;
}

int sse_data(void *sse, const void *data, size_t len)
{
	const char *text = data, *end;
	struct sse *s = sse;
	int rc = 0;

	while (rc >= 0 && (end = memchr(text, '\n', len))) {
		if (buf_add(&s->line, text, (size_t)(end - text)) < 0)
			return -EMSGSIZE;
		rc = take_line(s);
		len -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	if (rc < 0)
		return rc;
	return buf_add(&s->line, text, len) < 0 ? -EMSGSIZE : 0;
}
