/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events (WHATWG HTML, "Server-sent events") as the manager writes them: an event is its fields, one a line, up to an empty line. */
#ifndef CLI_SSE_H
#define CLI_SSE_H

#include "lib/buf.h"

/* The data of an event whose type is not named, or NULL for "event: gap". A value below 0 breaks off. */
typedef int sse_fn(void *arg, const char *data);

struct sse {
	sse_fn *fn;
	void *arg;
	struct buf line; /* the one that has not come to its end yet */
	bool named;      /* the event that is coming has a type: its data is not for fn */
};

void sse_init(struct sse *sse, sse_fn *fn, void *arg);
void sse_fini(struct sse *sse);
/* on_data() of struct api_request, with the sse as its arg. */
int sse_data(void *sse, const void *data, size_t len);

#endif
