/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets between an instance and programs of this machine (vsock): the instance's CID, which is its own among all instances of this
 * manager as long as its record is there, and the folder RUN_DIR/vm/uigN/vsock that the monitor serves. It goes with the shell, and with all
 * that others have put into it.
 */
#ifndef DAEMON_VSOCK_H
#define DAEMON_VSOCK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define VSOCK_CID_MIN 3u
#define VSOCK_CID_MAX (UINT32_MAX - 1)
#define VSOCK_FOLDER  "vsock"
#define VSOCK_SOCKET                                                                               \
	VSOCK_FOLDER "/v.sock" /* in the shell's folder; the host's servers: v.sock_PORT */

struct err;
struct instance;
struct instances;
struct shell;

struct vsock_spec {
	bool wanted;
	uint32_t cid; /* 0: any */
};

/* Fills in a CID that no instance has. 0, or -EEXIST with err. */
int vsock_choose(const struct instances *instances, struct vsock_spec *vsock, struct err *err);
/* Makes the folder. 0 or -errno with err. */
int vsock_make_folder(const struct shell *shell, struct err *err);
/* {cid, path}, path null while it does not run; or null. */
json_t *vsock_json(const struct instance *inst);

#endif
