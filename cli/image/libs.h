/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader and the shared libraries of a dynamic program, found by DT_NEEDED and copied into an image, and those of the
 * modules among its files, which it loads by dlopen. Libraries are searched in the RUNPATH of what needs them and
 * then where this system's loader looks; they are put where the loader inside the image looks without a cache, but for
 * those that the image has already at their own place. What glibc opens by itself comes along: libgcc_s.so.1, where it is installed.
 */
#ifndef CLI_IMAGE_LIBS_H
#define CLI_IMAGE_LIBS_H

#include "cli/image/root.h"

struct libs;

/* program_path: on the host, for $ORIGIN. -ENOEXEC: no program. The root is borrowed; libs_free() frees *libs. */
int libs_new(struct root *root, int program_fd, const char *program_path, struct libs **libs,
	struct err *err);
void libs_free(struct libs *libs);
void libs_freep(struct libs **libs);

/* True for a program without a loader, which has no libraries. */
bool libs_is_static(const struct libs *libs);

/*
 * Takes note of a file of the image: when it is a program or a library, what it needs is packed too, as far as it is
 * installed (a module that cannot be loaded here is one that the program does without). 0 or -errno.
 */
int libs_note(struct libs *libs, int fd, struct err *err);

/* Copies loader and libraries: to be called when all files are in the image. -ENOENT: the program lacks one, -errno. */
int libs_add(struct libs *libs, struct err *err);

#endif
