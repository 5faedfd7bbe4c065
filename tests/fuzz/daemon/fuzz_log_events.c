/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM writes, as events: whatever it is, it stays inside `data` fields, each byte belongs to one event, and the id is where it ends. */
#include "daemon/api/log_events.h"

#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* "id: N", lines of data, an empty line. */
static void check_event(const struct buf *event, uint64_t behind)
{
	const char *p = event->data, *limit = p + event->len, *end;
	char id[32];
	int n = snprintf(id, sizeof(id), "id: %llu\n", (unsigned long long)behind);

	check(event->len > (size_t)n && memcmp(p, id, (size_t)n) == 0);
	check(!memchr(p, '\r', event->len));
	for (p += n; *p != '\n'; p = end + 1) {
		check(strncmp(p, "data: ", 6) == 0);
		end = memchr(p, '\n', (size_t)(limit - p));
		check(end);
	}
	check(p + 1 == limit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	bool last = len && data[0] & 1;
	uint64_t offset;
	size_t done = 0;
	char copy[64];
	ssize_t n;

	do {
		_cleanup_buf_ struct buf event;

		buf_init(&event, 0);
		n = log_event(&event, done, text + done, len - done, last);
		check(n >= 0 && (size_t)n <= len - done);
		done += (size_t)n;
		if (n)
			check_event(&event, done);
	} while (n);
	check(last ? done == len : len - done < LOG_LINE_MAX_BYTES);
	snprintf(copy, sizeof(copy), "%.*s", (int)(len < 60 ? len : 60), text ? text : "");
	if (log_event_id(copy, &offset))
		check(copy[0] >= '0' && copy[0] <= '9');
	return 0;
}
