/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any memcached, by its text protocol. It has no lists and no way to ask which keys there are, so a kind of service has a fixed row of
 * places (KEY, KEY.1, ... KEY.31) with one instance each, which go by themselves when they are not renewed.
 *
 *   list:  CONNECT -> LOOK (gets of all places) -> done
 *   keep:  CONNECT -> LOOK -> one is ours: cas with a new time --STORED--> done
 *                      ^  \-> else the first free one: add -------STORED--> done
 *                      +---- anything else: somebody was faster, look again
 *   drop:  CONNECT -> LOOK -> cas with a time that has passed -> done
 *
 * Every write names what it replaces (cas) or that it replaces nothing (add): two instances never share a place, whoever is slow. A
 * connection lives for one operation: they are a few each five seconds.
 */
#include "services/common/registry_backend.h"
#include "services/common/registry_parse.h"

#include "lib/buf.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define LOOKS_MAX 40 /* places that others may take in between, and some more */

enum step { CONNECT, LOOK, WRITE };

struct registry_op {
	struct registry_call call;
	struct registry_claim *claim; /* NULL: a list */
	bool dropping;
	char key[REGISTRY_KEY_BYTES];
	enum step step;
	unsigned int looks;
	int fd;
	struct loop_io *io;
	struct loop_timer *timer; /* the end of its time; at once when it could not begin */
	int failed;               /* before there was anything to wait for */
	struct buf out, in;
	size_t sent;
	struct memcached_slots slots;
};

static void op_free(struct registry_op *op)
{
	if (!op)
		return;
	loop_io_del(op->io);
	loop_timer_free(op->timer);
	if (op->fd >= 0)
		close(op->fd);
	buf_fini(&op->out);
	buf_fini(&op->in);
	free(op);
}

static void finish(struct registry_op *op, int code, const char *what)
{
	struct endpoints list = {0};
	char why[128];
	struct registry_result result = {.code = code, .why = why, .list = &list};
	registry_done *done = op->call.done;
	void *arg = op->call.arg;

	snprintf(why, sizeof(why), "%s%s%s", code ? "memcached: " : "", code ? what : "",
		code == -EPROTO || code == -ENOSPC ? ""
			: code                     ? strerrordesc_np(-code)
						   : "");
	if (code == 0 && !op->claim)
		memcached_list(&op->slots, &list);
	op_free(op);
	done(arg, &result);
}

/* --- requests ----------------------------------------------------------------------------------------------------- */
static int add_name(struct buf *out, const char *key, size_t slot)
{
	return slot ? buf_printf(out, " %s.%zu", key, slot) : buf_printf(out, " %s", key);
}

static int look_request(struct registry_op *op)
{
	int r = buf_addstr(&op->out, "gets");

	for (size_t i = 0; i < MEMCACHED_SLOTS && r == 0; i++)
		r = add_name(&op->out, op->key, i);
	return r < 0 ? r : buf_addstr(&op->out, "\r\n");
}

static bool is_ours(const struct registry_op *op, size_t i)
{
	return op->slots.slot[i].taken && strcmp(op->slots.slot[i].value, op->claim->value) == 0;
}

/* The place that is ours, else, for a claim that is kept, the first free one; -1: none. */
static int place(const struct registry_op *op)
{
	int free_one = -1;

	for (int i = MEMCACHED_SLOTS - 1; i >= 0; i--) {
		if (is_ours(op, (size_t)i))
			return i;
		if (!op->slots.slot[i].taken)
			free_one = i;
	}
	return op->dropping ? -1 : free_one;
}

static int write_request(struct registry_op *op, size_t i)
{
	bool ours = is_ours(op, i);
	size_t len = strlen(op->claim->value);
	int r = buf_addstr(&op->out, ours ? "cas" : "add");

	r = r < 0 ? r : add_name(&op->out, op->key, i);
	r = r < 0 ? r
		  : buf_printf(&op->out, " 0 %d %zu", op->dropping ? -1 : op->claim->ttl_s, len);
	if (r == 0 && ours)
		r = buf_printf(&op->out, " %" PRIu64, op->slots.slot[i].cas);
	return r < 0 ? r : buf_printf(&op->out, "\r\n%s\r\n", op->claim->value);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */
static void on_io(void *arg, uint32_t events);

/* Sends what is to be sent, then waits for what comes. false: the operation is over. */
static bool send_out(struct registry_op *op)
{
	while (op->sent < op->out.len) {
		ssize_t n =
			send(op->fd, op->out.data + op->sent, op->out.len - op->sent, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			finish(op, -errno, "sending: ");
			return false;
		}
		op->sent += (size_t)n;
	}
	loop_io_mod(op->io, op->sent < op->out.len ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

static void begin_step(struct registry_op *op, enum step step, int built)
{
	op->step = step;
	op->in.len = 0;
	op->sent = 0;
	if (built < 0)
		finish(op, built, "");
	else
		send_out(op);
}

static void look(struct registry_op *op)
{
	op->out.len = 0;
	if (op->looks++ == LOOKS_MAX)
		finish(op, -EPROTO, "others are always faster");
	else
		begin_step(op, LOOK, look_request(op));
}

static void on_looked(struct registry_op *op)
{
	int i;

	if (!op->claim) {
		finish(op, 0, "");
		return;
	}
	i = place(op);
	if (i < 0) {
		finish(op, op->dropping ? 0 : -ENOSPC, "all places of this kind are taken");
		return;
	}
	op->out.len = 0;
	begin_step(op, WRITE, write_request(op, (size_t)i));
}

static bool in_is(const struct registry_op *op, const char *line)
{
	return op->in.len == strlen(line) && memcmp(op->in.data, line, op->in.len) == 0;
}

static void on_written(struct registry_op *op)
{
	char why[64];

	if (in_is(op, "STORED\r\n"))
		finish(op, 0, "");
	else if (in_is(op, "NOT_STORED\r\n") || in_is(op, "EXISTS\r\n") ||
		in_is(op, "NOT_FOUND\r\n"))
		look(op);
	else {
		snprintf(why, sizeof(why), "%.*s", (int)strcspn(op->in.data, "\r\n"), op->in.data);
		finish(op, -EPROTO, why);
	}
}

static void on_input(struct registry_op *op)
{
	int r;

	if (op->step == WRITE) {
		if (op->in.data[op->in.len - 1] == '\n')
			on_written(op);
		return;
	}
	r = memcached_parse(op->key, op->in.data, op->in.len, &op->slots);
	if (r == -EPROTO)
		finish(op, r, "its answer is not understood");
	else if (r == 0)
		on_looked(op);
}

static void receive(struct registry_op *op)
{
	char piece[4096];
	ssize_t n = recv(op->fd, piece, sizeof(piece), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		finish(op, n < 0 ? -errno : -ECONNRESET, "receiving: ");
	else if (op->in.len + (size_t)n > REGISTRY_ANSWER_BYTES || op->step == CONNECT ||
		buf_add(&op->in, piece, (size_t)n) < 0)
		finish(op, -EPROTO, "it says too much");
	else
		on_input(op);
}

static void on_io(void *arg, uint32_t events)
{
	struct registry_op *op = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	if (op->step == CONNECT) {
		if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		if (error)
			finish(op, -error, "connecting: ");
		else
			look(op);
	} else if (op->sent < op->out.len && !(events & ~(uint32_t)EPOLLOUT)) {
		send_out(op);
	} else {
		receive(op);
	}
}

static void on_timer(void *arg)
{
	struct registry_op *op = arg;

	finish(op, op->failed ?: -ETIMEDOUT, "connecting: ");
}

/* --- operations --------------------------------------------------------------------------------------------------- */
static int begin(struct registry_op *op)
{
	const struct endpoint *at = op->call.at;
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(at->port)};

	if (inet_pton(AF_INET, at->host, &sin.sin_addr) != 1)
		return -EHOSTUNREACH;
	op->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (op->fd < 0 ||
		(connect(op->fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 && errno != EINPROGRESS))
		return -errno;
	return loop_io_add(op->call.loop, op->fd, EPOLLOUT, on_io, op, &op->io);
}

static int start(const struct registry_call *call, const char *key, struct registry_claim *claim,
	bool dropping, struct registry_op **out)
{
	struct registry_op *op = calloc(1, sizeof(*op));
	int r;

	if (!op)
		return -ENOMEM;
	*op = (struct registry_op){.call = *call, .claim = claim, .dropping = dropping, .fd = -1};
	snprintf(op->key, sizeof(op->key), "%s", key);
	r = loop_timer_new(call->loop, on_timer, op, &op->timer);
	if (r < 0) {
		op_free(op);
		return r;
	}
	op->failed = begin(op);
	loop_timer_set(op->timer, op->failed ? 0 : call->timeout_ms * NS_PER_MS);
	*out = op;
	return 0;
}

static int mc_list(const struct registry_call *call, const char *key, struct registry_op **op)
{
	return start(call, key, NULL, false, op);
}

static int mc_keep(
	const struct registry_call *call, struct registry_claim *claim, struct registry_op **op)
{
	return start(call, claim->key, claim, false, op);
}

static int mc_drop(
	const struct registry_call *call, struct registry_claim *claim, struct registry_op **op)
{
	return start(call, claim->key, claim, true, op);
}

const struct registry_backend registry_memcached = {
	.list = mc_list, .keep = mc_keep, .drop = mc_drop, .cancel = op_free};
