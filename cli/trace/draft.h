/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a traced program used, made into a list of files or the draft of a manifest. Left out: what is made anew in
 * each instance (/proc, /sys, /dev, /run, /var/cache, what lies in temporary folders and is no argument of the program), what an image has of its own (/etc/passwd and its like, the
 * loader's cache), and in a manifest the libraries that an image's build finds by itself.
 */
#ifndef CLI_TRACE_DRAFT_H
#define CLI_TRACE_DRAFT_H

#include "lib/buf.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DRAFT_MAX_FILES 65536
#define DRAFT_MAX_PORTS 64

struct draft {
	const char *const *argv; /* borrowed; the program's command line, or NULL */
	const char *cwd;         /* borrowed; the folder where it ran, absolute, or NULL */
	char **files;            /* owned; in the order of their first use */
	size_t nfiles, room;
	uint16_t ports[DRAFT_MAX_PORTS];
	size_t nports;
	bool truncated; /* out of memory or over a limit: something is missing */
};

void draft_fini(struct draft *d);

/* Each file and port once. */
void draft_add_file(struct draft *d, const char *path);
void draft_add_port(struct draft *d, uint16_t port);

/*
 * Drops the program and what image_build() finds by itself: its loader, its libraries, those that the rest needs.
 * program: absolute path. -ENOEXEC: not an ELF program.
 */
int draft_drop_found(struct draft *d, const char *program, struct err *err);

/* Drops what a manifest names already: the file itself or a folder that it is in. manifest: one that was checked. */
void draft_drop_named(struct draft *d, const json_t *manifest);

/* Appends a line for each file, sorted. */
int draft_list(struct draft *d, struct buf *out);

/* Appends the entry of a manifest's files for each, sorted. */
int draft_lines(struct draft *d, struct buf *out);

/* Appends a manifest, with the folder where the program ran if an argument begins there. argv: of the program, ended by NULL. */
int draft_manifest(struct draft *d, const char *name, const char *program, const char *const argv[],
	struct buf *out);

#endif
