/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders of the host for volumes, as O_PATH descriptors. A manager that has checked a folder names it by its own descriptor
 * (/proc/PID/fd/N): so what was checked is what is shared.
 */
#ifndef VMM_DEV_FOLDER_H
#define VMM_DEV_FOLDER_H

struct err;

/* A descriptor, or -errno. */
int folder_open(const char *path, struct err *err);

#endif
