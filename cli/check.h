/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probes of `uigniter system check`: one function each, a row of a table in check.c. A probe only looks, it changes
 * nothing and never opens /dev/kvm (only the monitor does).
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "lib/err.h"

#include <jansson.h>
#include <stddef.h>

enum verdict { CHECK_PASS, CHECK_WARN, CHECK_FAIL };

struct finding {
	enum verdict verdict;
	char text[256];
	char remedy[256]; /* "" for a pass */
};

/* The manager that is asked for, as it answered once for all probes. */
struct asked {
	const char *host; /* borrowed */
	json_t *info;     /* owned; its GET /info; NULL: it does not answer */
	struct err err;   /* why */
};

typedef void probe_fn(struct finding *f, const struct asked *manager);

struct probe {
	const char *name;
	probe_fn *fn;
};

extern const struct probe probes[];
extern const size_t nprobes;

const char *verdict_name(enum verdict v);

void asked_init(struct asked *manager, const char *host);
void asked_fini(struct asked *manager);

#endif
