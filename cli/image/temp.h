/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A temporary folder that is gone when its maker is, however that ends: a child of an own session makes it, waits for the
 * end of the maker, which holds the other end of a socket, and removes what it left.
 */
#ifndef CLI_IMAGE_TEMP_H
#define CLI_IMAGE_TEMP_H

#include "lib/err.h"

#include <sys/types.h>

struct temp {
	char *path;    /* owned */
	int fd;        /* of the folder */
	int pipe;      /* a socket, whose end tells the watcher */
	pid_t watcher; /* 0: none */
};

/* Makes it under TMPDIR or /tmp. 0 or -errno. */
int temp_new(struct temp *temp, struct err *err);
/* Removes it and all in it. Fine for a zeroed or failed one. */
void temp_fini(struct temp *temp);

/* Removes a file, or a folder with all below it; links are not followed. */
void temp_remove(int dir, const char *name);
/* The same of all in a folder. */
void temp_remove_children(int dir);

/* A new folder in it: its descriptor (for paths below only, O_PATH), or -errno. */
int temp_folder(const struct temp *temp, const char *name);
/* A new file for reading and writing that has no name any more: its descriptor, or -errno. */
int temp_file(const struct temp *temp);

#endif
