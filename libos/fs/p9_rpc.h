/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the server of a volume (abi/p9.h). A call is begun, its fields are put, it is started; p9_finish() waits for the answer, whose
 * fields are then got; p9_end() gives the call back. Several calls of a thread may be under way at once: where the server works in
 * order, one may use what the call in front of it makes.
 *
 * Waiting blocks the thread; other threads run. With p9_alone set nobody else runs meanwhile: for page faults of the libOS itself, in
 * the middle of whatever, and for the end of the program.
 *
 * Answers are as hostile as any outside bytes: a field that is not there reads as 0 and makes the call bad (-EIO).
 */
#ifndef LIBOS_FS_P9_RPC_H
#define LIBOS_FS_P9_RPC_H

#include "abi/p9.h"
#include "libos/drv/virtio_9p.h"
#include "libos/sched/thread.h"

#define P9_PIECES_MAX 16u /* of data beside a message */

struct p9_client {
	struct v9p *dev;
	uint32_t io; /* bytes of data that one message may carry */
	struct p9_call *idle;
	unsigned nidle;
	struct list waiting; /* calls for which the ring has no room yet */
	uint32_t fid_next, *fid_free;
	unsigned fid_nfree, fid_room;
	char *bounce; /* one buffer of P9_IO_BYTES, or less, that is kept; NULL: in use, or never was */
	uint32_t bounce_bytes;
};

struct p9_call {
	struct v9p_request req; /* first */
	struct p9_client *client;
	struct p9_call *next; /* idle */
	struct list link;     /* client->waiting */
	struct waitq waiters;
	uint8_t *out, *in; /* the message, room for the answer */
	uint32_t at, end;  /* out: bytes put; in: next byte to get, bytes of the answer */
	uint8_t type;
	bool done, bad;
	int error; /* of the answer */
	/* Data beside the message, in direct-map memory: behind it (to_device), or behind the head of an answer of P9_READ_HEAD bytes. */
	struct vq_buf piece[P9_PIECES_MAX];
	unsigned npieces;
	bool to_device;
	/* Called when the answer has come, in the order of answers, before any waiter runs; must not block. May call p9_end(): then nobody
	 * waits for it. */
	void (*complete)(struct p9_call *c);
	void *arg;
	uint64_t arg_off;
};

extern bool p9_alone;

/* Agrees on the version. 0 or -errno. */
int p9_client_init(struct p9_client *client, struct v9p *dev);

/* NULL: no memory. */
struct p9_call *p9_begin(struct p9_client *client, uint8_t type);
void p9_put8(struct p9_call *c, uint8_t v);
void p9_put16(struct p9_call *c, uint16_t v);
void p9_put32(struct p9_call *c, uint32_t v);
void p9_put64(struct p9_call *c, uint64_t v);
void p9_put_string(struct p9_call *c, const char *text, uint32_t len);
void p9_add_piece(struct p9_call *c, void *data, uint32_t bytes);

void p9_start(struct p9_call *c);
/* The same for what is over when the call that is sent next is (or in time, if nobody asks): its answer alone wakes no one. */
void p9_start_behind(struct p9_call *c);
/* 0 or the server's -errno. The cursor stands behind the head then. */
int p9_finish(struct p9_call *c);
/* p9_start() and p9_finish(). */
int p9_run(struct p9_call *c);
void p9_end(struct p9_call *c);

uint8_t p9_get8(struct p9_call *c);
uint16_t p9_get16(struct p9_call *c);
uint32_t p9_get32(struct p9_call *c);
uint64_t p9_get64(struct p9_call *c);
/* n bytes in place; NULL: not there. */
const uint8_t *p9_get_bytes(struct p9_call *c, uint32_t n);

/* A number for a new fid; P9_NOFID: no memory. */
uint32_t p9_fid_new(struct p9_client *client);
/* Gives back a number that the server does not know. */
void p9_fid_drop(struct p9_client *client, uint32_t fid);
/* Tells the server that a fid is not used any more; does not wait. */
void p9_clunk(struct p9_client *client, uint32_t fid);

/* A buffer of at least a page and at most want bytes, in one piece; *bytes: how many. NULL: no memory. */
char *p9_bounce_get(struct p9_client *client, uint32_t want, uint32_t *bytes);
void p9_bounce_put(struct p9_client *client, char *buf, uint32_t bytes);

#endif
