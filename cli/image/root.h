/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root folder of an image while it is being made, in a temporary folder of its own. Every path is resolved below
 * the root with no symbolic link on the way (openat2), so that nothing that was copied in can lead a later file
 * out. Nothing is ever written over: -EEXIST. Modes are 0755 or 0644, so that an image is the same whatever umask is. A file
 * keeps its time of last change (python's compiled modules are checked by it), in whole seconds.
 */
#ifndef CLI_IMAGE_ROOT_H
#define CLI_IMAGE_ROOT_H

#include "cli/image/temp.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

#define ROOT_MAX_FILES   65536u
#define ROOT_MAX_ENTRIES 1000000u
#define ROOT_MAX_BYTES   0x100000000ull /* as the image window of abi/layout.h */

struct root {
	struct temp temp; /* the temporary folder */
	int fd;           /* of "root" in it */
	unsigned int files;
	uint64_t entries; /* of layers, those too that are not unpacked */
	uint64_t bytes;
	const char *
		there; /* a file that a tree may hold too: it is not copied again; borrowed, NULL */
};

/* 0 or -errno. */
int root_new(struct root *root, struct err *err);
/* Removes the folder and all in it. Fine for a zeroed or failed one. */
void root_fini(struct root *root);

/* `to` is absolute in the image; folders on the way are made. 0, -EEXIST, -ELOOP, -E2BIG (limits), -errno. */
int root_add_folder(struct root *root, const char *to, struct err *err);
int root_add_text(struct root *root, const char *to, const char *text, struct err *err);
int root_add_file(
	struct root *root, const char *to, int source_fd, bool executable, struct err *err);

/* A symbolic link; folders on the way are made. */
int root_add_link(struct root *root, const char *to, const char *target, struct err *err);

/* Called with each file and folder before it is copied; what is not 0 ends the copying and is its result. */
typedef int root_visit_fn(void *arg, int fd, struct err *err);

/*
 * Copies a file, or a folder with all below it (regular files, folders and symbolic links), from a descriptor.
 * visit: may be NULL.
 */
int root_add_tree(struct root *root, const char *to, int source_fd, root_visit_fn *visit, void *arg,
	struct err *err);

/* Files and folders that every image has, as far as they, or a link in their place, are not there yet. */
int root_add_system(struct root *root, const char *cmdline, struct err *err);

/* The last step: folders and links, which were made just now, get the time 0, so that the same files give the same image. */
int root_fix_times(struct root *root, struct err *err);

#endif
