/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The working set of a start: which pages of free RAM an instance has touched when it begins to listen (or has ended). One
 * instance records it in a file, later shells of the same profile have those pages backed before their request comes. A page that
 * is there costs the guest a fifth of one that is not. That of a clone: the pages of its template that it has written, and so has copied,
 * when it has given its first answer; and the pages of the program's address space that it has read or written on the way there, each of which
 * costs a fault of the machine's page tables (4-6 us) at its first touch, though its memory be there.
 *
 * The file is text: "uigniter-workset 1", then one range a line, "GPA PAGES" in hexadecimal, ascending; then "r VA PAGES" or "w VA PAGES" for what
 * the program reads or writes, ascending.
 */
#ifndef VMM_WORKSET_H
#define VMM_WORKSET_H

#include "abi/types.h"

#include <stdbool.h>

struct err;
struct mem;

#define WORKSET_RANGES_MAX 1024u
#define WORKSET_PAGES_MAX  2048u /* 8 MiB: more is no working set of a start */
#define WORKSET_USER_MAX   2048u /* ranges */
#define WORKSET_USER_PAGES_MAX                                                                     \
	8192u /* of them read alone are most, which stay shared with what they are a copy of */

struct workset {
	unsigned nranges;
	struct workset_range {
		gpa_t gpa;
		uint64_t pages;
	} range[WORKSET_RANGES_MAX];
	unsigned nuser;
	struct workset_user {
		uint64_t va, pages;
		bool write;
	} user[WORKSET_USER_MAX];
	uint64_t user_pages; /* in all */
};

/* Reads a set from text of len bytes (NUL behind it). 0, or -EINVAL with the reason. */
int workset_parse(const char *text, struct workset *set, struct err *err);
/* 0, -ENOENT when there is no file yet, -EINVAL. */
int workset_load(const char *path, struct workset *set, struct err *err);

/* Backs the pages of the set with memory, as far as they are RAM. */
void workset_populate(const struct workset *set, const struct mem *mem);

/* Which pages of [from, to) have backing now. 0 or -errno. */
int workset_record(struct workset *set, const struct mem *mem, gpa_t from, gpa_t to);
/* Which pages of RAM are the process's own and not a file's, but for those that skip(arg) takes out: by its page map (descriptor). 0 or -errno. */
typedef bool workset_skip_fn(void *arg, const struct mem *mem, gpa_t gpa);
int workset_record_private(struct workset *set, const struct mem *mem, int pagemap_fd,
	workset_skip_fn *skip, void *arg);
/* Adds a page of the program's, behind the last. 0, or -EINVAL when it lies elsewhere or there is no room. */
int workset_add_user(struct workset *set, uint64_t va, bool write);
/* Opens the file for workset_save(), and locks it: one VM records. A descriptor (caller owns), -EAGAIN when another VM is about
 * to, or another -errno with err. */
int workset_create(const char *path, struct err *err);
/* Writes the file, whole or not at all. 0 or -errno. */
int workset_save(const struct workset *set, int fd, struct err *err);

#endif
