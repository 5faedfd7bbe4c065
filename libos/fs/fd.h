/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor table, as fs/ itself uses it beyond fs/file.h. */
#ifndef LIBOS_FS_FD_H
#define LIBOS_FS_FD_H

#include "libos/fs/file.h"

/* fd_install() that drops the file's reference when it fails. */
int fd_install_new(struct file *f, bool cloexec);
/* F_DUPFD. */
long fd_dup_from(int old, unsigned min, bool cloexec);
bool fd_cloexec(int fd);
void fd_set_cloexec(int fd, bool on);

#endif
