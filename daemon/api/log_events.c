/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/log_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_lines(struct buf *out, const char *line, size_t len)
{
	const char *end;
	int r;

	do {
		end = memchr(line, '\r', len);
		size_t n = end ? (size_t)(end - line) : len;

		r = buf_addstr(out, "data: ");
		r = r < 0 ? r : buf_add(out, line, n);
		r = r < 0 ? r : buf_addstr(out, "\n");
		line += n + 1;
		len -= end ? n + 1 : n;
	} while (r == 0 && end);
	return r;
}

ssize_t log_event(struct buf *out, uint64_t offset, const char *data, size_t len, bool last)
{
	size_t max = len < LOG_LINE_MAX_BYTES ? len : LOG_LINE_MAX_BYTES, n, taken;
	const char *end = memchr(data, '\n', max);
	int r;

	if (!end && len < LOG_LINE_MAX_BYTES && !last)
		return 0;
	n = end ? (size_t)(end - data) : max;
	taken = end ? n + 1 : n;
	if (!taken)
		return 0;
	if (end && n && data[n - 1] == '\r')
		n--;
	r = buf_printf(out, "id: %llu\n", (unsigned long long)offset + taken);
	r = r < 0 ? r : add_lines(out, data, n);
	r = r < 0 ? r : buf_addstr(out, "\n");
	return r < 0 ? r : (ssize_t)taken;
}

bool log_event_id(const char *text, uint64_t *offset)
{
	unsigned long long value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*offset = value;
	return true;
}
