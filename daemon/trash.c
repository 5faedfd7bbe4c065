/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trash.h"

#include "daemon/reap.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_NS INT64_C(1000000000)

struct folder {
	char *path; /* owned */
	struct folder *next;
};

struct trash {
	struct loop_timer *timer;
	struct folder *first;
	unsigned count, serial;
};

static void try_all(struct trash *trash)
{
	for (struct folder **at = &trash->first; *at;) {
		struct folder *f = *at;

		if (reap_tree(f->path) < 0) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		trash->count--;
		free(f->path);
		free(f);
	}
}

static void on_timer(void *arg)
{
	struct trash *trash = arg;

	try_all(trash);
	if (trash->first)
		loop_timer_set(trash->timer, AGAIN_NS);
}

int trash_new(struct loop *loop, struct trash **out)
{
	struct trash *trash = calloc(1, sizeof(*trash));
	int r;

	if (!trash)
		return -ENOMEM;
	r = loop_timer_new(loop, on_timer, trash, &trash->timer);
	if (r < 0) {
		free(trash);
		return r;
	}
	*out = trash;
	return 0;
}

void trash_free(struct trash *trash)
{
	if (!trash)
		return;
	try_all(trash);
	while (trash->first) {
		struct folder *f = trash->first;

		trash->first = f->next;
		free(f->path);
		free(f);
	}
	loop_timer_free(trash->timer);
	free(trash);
}

/* Beside where it was, under a name that nothing else has. */
static char *put_aside(struct trash *trash, const char *path)
{
	char *aside;

	if (asprintf(&aside, "%s.gone-%u", path, trash->serial++) < 0)
		return NULL;
	if (rename(path, aside) == 0)
		return aside;
	free(aside);
	return strdup(path);
}

void trash_folder(struct trash *trash, const char *path)
{
	struct folder *f;
	int r = reap_tree(path);

	if (r == 0)
		return;
	log_warn("cannot remove a folder, will try again", "path=%s error=%d", path, -r);
	f = calloc(1, sizeof(*f));
	if (f)
		f->path = put_aside(trash, path);
	if (!f || !f->path) {
		free(f);
		return;
	}
	f->next = trash->first;
	trash->first = f;
	trash->count++;
	loop_timer_set(trash->timer, AGAIN_NS);
}

unsigned trash_count(const struct trash *trash)
{
	return trash->count;
}
