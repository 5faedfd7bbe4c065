/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels: what monitors boot in a VM. KERNEL_DEFAULT is the one that the manager was started with (--libos); others are files
 * STATE_DIR/kernel/NAME, uploaded by people. A name gets its file by one rename(2), when it is complete and on the disk; VMs that
 * run have read theirs. Instances and profiles of the pool hold names: a name that is gone is a failure of the next start.
 */
#ifndef DAEMON_KERNEL_H
#define DAEMON_KERNEL_H

#include "lib/err.h"
#include "lib/util.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define KERNEL_DEFAULT    "default"
#define KERNEL_MAX_BYTES  (64 * MIB)
#define KERNEL_NAME_BYTES 64 /* with its NUL; name_is_valid() */
#define KERNELS_MAX       64

struct kernels;
struct kernel_upload;

struct kernel {
	const char *name, *path;
	uint64_t bytes;
	time_t changed;
};

/* libos: path of the default one, borrowed. Removes what uploads have left. 0 or -errno with err. */
int kernels_new(
	const char *state_dir, const char *libos, struct kernels **kernels, struct err *err);
void kernels_free(struct kernels *kernels); /* NULL is fine */

/* "" is the default. 0 and *path (of PATH_MAX bytes), or -ENOENT. */
int kernel_path(const struct kernels *kernels, const char *name, char *path);
/* Calls fn for each, the default first; of a file that can not be looked at bytes is 0. */
void kernels_each(const struct kernels *kernels, void (*fn)(void *arg, const struct kernel *kernel),
	void *arg);
/* 0, or -ENOENT. Not the default. */
int kernel_delete(struct kernels *kernels, const char *name);

/* A kernel as it comes: new, write..., end or abort. 0 or -errno with err: -EINVAL it is no kernel, -EMFILE there are KERNELS_MAX. */
int kernel_upload_new(struct kernels *kernels, struct kernel_upload **upload, struct err *err);
int kernel_upload_write(struct kernel_upload *upload, const void *data, size_t len);
/* Frees upload. *replaced: there was one of this name. */
int kernel_upload_end(
	struct kernel_upload *upload, const char *name, bool *replaced, struct err *err);
void kernel_upload_abort(struct kernel_upload *upload); /* NULL is fine */

#endif
