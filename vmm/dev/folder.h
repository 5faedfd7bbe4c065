/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders of the host for volumes, as O_PATH descriptors. A manager that starts an instance in a shell of its pool opens the folder
 * itself and hands the descriptor over on a socket that the shell has inherited (SOCK_SEQPACKET): so what was checked is what is
 * shared, and a monitor that may open nothing any more can still get it.
 */
#ifndef VMM_DEV_FOLDER_H
#define VMM_DEV_FOLDER_H

struct err;

/* A descriptor, or -errno. */
int folder_open(const char *path, struct err *err);
/* The next one that was sent: a message of the volume's tag (without NUL), with one descriptor. Does not wait: -EAGAIN when none has
 * come, -EINVAL when it is another's or no folder. */
int folder_receive(int channel, const char *tag, struct err *err);

#endif
