/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the files of an image come from. A relative path is one below the context, and links may not lead out of it. An
 * absolute one is the machine's: unless its user allows all, it has to be public, so that a manifest of somebody else cannot
 * put what is private into an image. Public is what root owns and everyone may read, below the folders of Debian's
 * packages (/usr, /bin, /sbin, /lib, /lib64, /etc), links followed.
 */
#ifndef CLI_IMAGE_SOURCE_H
#define CLI_IMAGE_SOURCE_H

#include "lib/err.h"

#include <limits.h>
#include <stdbool.h>

/* From now on what lies in /etc is not public: a manifest of somebody who may not read this machine's set-up. */
void source_programs_only(void);

/* True when an absolute path is below a folder that can hold public files. */
bool source_is_system_path(const char *path);

/*
 * Opens a source for reading; *fd belongs to the caller. any: an absolute path need not be public. -EXDEV: it leads
 * out of the context, -EACCES: not public, -errno.
 */
int source_open(int context, const char *path, bool any, int *fd, struct err *err);

/* 0 when what is open is root's and everyone may read it (and enter it, a folder); its way is not looked at. -EACCES. */
int source_check_public(int fd, struct err *err);

/* Where an open file is on the host. 0 or -errno. */
int source_path(int fd, char path[PATH_MAX], struct err *err);

#endif
