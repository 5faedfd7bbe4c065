/* SPDX-License-Identifier: Apache-2.0 */
/* The client of a volume with a server that answers anything: each call gets the next bytes of the input as its answer, and takes
 * integers, strings and data out of it as the file system does. */
#include "libos/fs/p9_rpc.c"

#include <stdlib.h>

#define CALLS_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;

void *kzalloc(size_t bytes)
{
	return calloc(1, bytes);
}

void *krealloc(void *p, size_t bytes)
{
	return realloc(p, bytes);
}

void kfree(void *p)
{
	free(p);
}

void *page_alloc_run(size_t n)
{
	return aligned_alloc(PAGE_BYTES, n * PAGE_BYTES);
}

void page_free_run(void *p, size_t n)
{
	free(p);
}

unsigned waitq_wake(struct waitq *q, unsigned n)
{
	return 0;
}

bool v9p_ordered(const struct v9p *v)
{
	return true;
}

/* Sent and not answered, in order. */
static struct sent {
	struct v9p_request *r;
	uint8_t *answer;
	const uint8_t *request;
	uint32_t room;
} sent[CALLS_MAX * 4];
static unsigned first, end;

int v9p_submit(
	struct v9p *v, const struct vq_buf *buf, unsigned nout, unsigned nin, struct v9p_request *r)
{
	if (end - first == sizeof(sent) / sizeof(sent[0]))
		return -ENOSPC;
	sent[end++ % (sizeof(sent) / sizeof(sent[0]))] =
		(struct sent){r, buf[nout].ptr, buf[0].ptr, buf[nout].len};
	return 0;
}

/* Answers the oldest. Half of the answers have the right size and type, all that have one the right tag: else all fell at the first check. */
void v9p_wait(struct v9p *v)
{
	struct sent s = sent[first++ % (sizeof(sent) / sizeof(sent[0]))];
	uint32_t take = left ? input[0] * 40u + 1 : 0, n = left < take ? (uint32_t)left : take;

	n = n < s.room ? n : s.room;
	if (n)
		memcpy(s.answer, input, n);
	input += n;
	left -= n;
	if (n >= P9_HEAD_BYTES && s.answer[0] & 1) {
		memcpy(s.answer, &n, sizeof(n));
		s.answer[4] = (uint8_t)(s.request[4] + 1);
	}
	if (n >= P9_HEAD_BYTES)
		memcpy(s.answer + 5, s.request + 5, 2);
	s.r->done(s.r, n);
}

int waitq_wait_uninterruptible(struct waitq *q, uint64_t deadline)
{
	v9p_wait(NULL);
	return 0;
}

static void take_apart(struct p9_call *c)
{
	const uint8_t *p;
	uint16_t len;

	while (!c->bad && c->at < c->end) {
		switch (p9_get8(c) % 5) {
		case 0:
			p9_get16(c);
			break;
		case 1:
			p9_get32(c);
			break;
		case 2:
			p9_get64(c);
			break;
		case 3:
			len = p9_get16(c);
			p = p9_get_bytes(c, len);
			if (p && (p < c->in || p + len > c->in + AREA_BYTES))
				abort();
			break;
		default:
			if (p9_get_bytes(c, p9_get32(c)) == NULL && !c->bad)
				abort();
		}
	}
	if (c->end > AREA_BYTES || c->at > c->end)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct p9_client client;

	input = data;
	left = size;
	if (p9_client_init(&client, NULL) == 0 && (client.io == 0 || client.io > P9_IO_BYTES))
		abort();
	for (unsigned i = 0; left && i < CALLS_MAX; i++) {
		struct p9_call *c = p9_begin(&client, P9_TGETATTR);
		int rc;

		p9_put32(c, p9_fid_new(&client));
		rc = p9_run(c);
		if (rc > 0 || rc < -(int)ERRNO_MAX)
			abort();
		if (!rc)
			take_apart(c);
		p9_end(c);
		p9_clunk(&client, i);
	}
	while (first != end)
		v9p_wait(NULL);
	while (client.idle) {
		struct p9_call *c = client.idle;

		client.idle = c->next;
		free(c->out);
		free(c);
	}
	free(client.fid_free);
	return 0;
}
