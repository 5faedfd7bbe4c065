/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 9P2000.L server behind a volume: a folder of the host, given as a descriptor, and everything below it; nothing else, whatever the
 * client says. Knows nothing of virtqueues.
 *
 *   beneath     names are single components, looked up with openat2(RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS, NO_XDEV) below the
 *               O_PATH descriptor of a fid; ".." is no name; symbolic links are read, never followed; other mounts are not entered.
 *   no devices  only regular files and folders are ever opened for data: an O_PATH descriptor tells the type, which never changes, and
 *               is reopened through /proc/self/fd. A FIFO or socket can be made and named, not opened.
 *   no powers   set-user-id and set-group-id bits are dropped, device nodes refused, and owners never change: files belong to the
 *               monitor's user, whom the client sees as root (0). Of extended attributes there are those of users.
 *
 * Threads: one thread serves; requests are done in the order they are given, each to its end, so that a flush finds nothing to
 * do. A call may block as the host's file system does. The caller's umask applies to what is created: it should be 0.
 */
#ifndef VMM_P9_SERVER_H
#define VMM_P9_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct err;
struct p9_server;

#define P9_SEGMENTS_MAX 64u /* parts of a request, and of the room for its answer */

/* dir_fd (a folder; O_PATH will do) is taken in any case. 0 or -errno. */
int p9_server_new(int dir_fd, bool read_only, struct p9_server **server, struct err *err);
void p9_server_free(struct p9_server *server); /* NULL is fine */

/* From here on the calling thread's user and group are whom the client sees as root; else those of who made the server. */
void p9_server_set_owner(struct p9_server *server);

/*
 * Serves one request. Both lists are memory that the client may change meanwhile; each byte of a message's fields is read once. Returns
 * the bytes of the answer in out, or -EPROTO when there is no room for any answer, or no message.
 */
ssize_t p9_server_serve(struct p9_server *server, const struct iovec *in, unsigned nin,
	const struct iovec *out, unsigned nout);

/*
 * The same for requests that can be done without waiting for anything: data that is in the page cache, attributes of files of a local
 * file system; P9_SOON: also what seldom waits for long, as a write into the page cache does of a file system that does not promise it.
 * It needs no powers beyond open descriptors, so that any thread may call it while no other uses the server.
 * -EAGAIN: not this one; nothing has been done.
 */
enum p9_haste {
	P9_WAITS, /* however long it takes */
	P9_SOON,
	P9_NOW,
};
ssize_t p9_server_serve_now(struct p9_server *server, const struct iovec *in, unsigned nin,
	const struct iovec *out, unsigned nout, enum p9_haste haste);

/*
 * Tfsync apart from the server: begin takes a descriptor of its own, while no other thread uses the server, end waits for the disk on whatever
 * thread, meanwhile or afterwards, and has the answer's bytes. -EAGAIN: not this request; it is to be served.
 */
struct p9_sync {
	int fd; /* owned, from begin to end */
	bool data_only;
	uint16_t tag;
};
int p9_server_sync_begin(struct p9_server *server, const struct iovec *in, unsigned nin,
	const struct iovec *out, unsigned nout, struct p9_sync *sync);
ssize_t p9_server_sync_end(struct p9_sync *sync, const struct iovec *out, unsigned nout);

/* Is this request done in microseconds, most of the time? For who decides in which order to wake others. Any thread. */
bool p9_server_is_quick(const struct p9_server *server, const struct iovec *in, unsigned nin);

/* Fids in use, for tests. */
unsigned p9_server_fids(const struct p9_server *server);

#endif
