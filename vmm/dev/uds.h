/* SPDX-License-Identifier: Apache-2.0 */
/* The Unix socket of a vsock device on the host's side, and the folder that it lies in. */
#ifndef VMM_DEV_UDS_H
#define VMM_DEV_UDS_H

struct err;

/* Makes a listening socket of that path, which must not be there yet: a descriptor that does not block, or -errno. */
int uds_listen(const char *path, struct err *err);
/* The folder of a path (O_PATH), and where its last part begins: a descriptor, or -errno. */
int uds_folder(const char *path, const char **name, struct err *err);

#endif
