/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The working set of a start: which pages of free RAM an instance has touched when it begins to listen (or has ended). One
 * instance records it in a file, later shells of the same profile have those pages backed before their request comes. A page that
 * is there costs the guest a fifth of one that is not. That of a clone: the pages of its template that it has written, and so has copied,
 * when it has given its first answer.
 *
 * The file is text: "uigniter-workset 1", then one range a line, "GPA PAGES" in hexadecimal, ascending.
 */
#ifndef VMM_WORKSET_H
#define VMM_WORKSET_H

#include "abi/types.h"

struct err;
struct mem;

#define WORKSET_RANGES_MAX 1024u
#define WORKSET_PAGES_MAX  2048u /* 8 MiB: more is no working set of a start */

struct workset {
	unsigned nranges;
	struct workset_range {
		gpa_t gpa;
		uint64_t pages;
	} range[WORKSET_RANGES_MAX];
};

/* Reads a set from text of len bytes (NUL behind it). 0, or -EINVAL with the reason. */
int workset_parse(const char *text, struct workset *set, struct err *err);
/* 0, -ENOENT when there is no file yet, -EINVAL. */
int workset_load(const char *path, struct workset *set, struct err *err);

/* Backs the pages of the set with memory, as far as they are RAM. */
void workset_populate(const struct workset *set, const struct mem *mem);

/* Which pages of [from, to) have backing now. 0 or -errno. */
int workset_record(struct workset *set, const struct mem *mem, gpa_t from, gpa_t to);
/* Which pages of RAM are the process's own and not a file's: by its page map (descriptor). 0 or -errno. */
int workset_record_private(struct workset *set, const struct mem *mem, int pagemap_fd);
/* Opens the file for workset_save(), and locks it: one VM records. A descriptor (caller owns), -EAGAIN when another VM is about
 * to, or another -errno with err. */
int workset_create(const char *path, struct err *err);
/* Writes the file, whole or not at all. 0 or -errno. */
int workset_save(const struct workset *set, int fd, struct err *err);

#endif
