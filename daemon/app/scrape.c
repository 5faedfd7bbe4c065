/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/app/scrape.h"

#include "daemon/network/probe.h"
#include "lib/buf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct scrape {
	struct probe probe; /* its timer: the end of its time */
	int failed;         /* before there was anything to wait for */
	char path[PROBE_PATH_BYTES];
	struct buf answer;
	scrape_fn *fn;
	void *arg;
};

void scrape_cancel(struct scrape *s)
{
	if (!s)
		return;
	probe_fini(&s->probe);
	buf_fini(&s->answer);
	free(s);
}

static void finish(struct scrape *s, int code)
{
	_cleanup_buf_ struct buf answer = s->answer;
	scrape_fn *fn = s->fn;
	void *arg = s->arg;

	s->answer = (struct buf){0};
	scrape_cancel(s);
	fn(arg, code, answer.data ? answer.data : "", code ? 0 : answer.len);
}

static void on_answer(void *arg, uint32_t events)
{
	struct scrape *s = arg;
	char piece[8 * KIB];
	ssize_t n = recv(s->probe.fd, piece, sizeof(piece), 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		finish(s, n < 0 ? -errno : 0);
	else if (s->answer.len + (size_t)n > SCRAPE_BYTES)
		finish(s, -EMSGSIZE);
	else if (buf_add(&s->answer, piece, (size_t)n) < 0)
		finish(s, -ENOMEM);
}

static void on_connected(void *arg, uint32_t events)
{
	struct scrape *s = arg;
	int r = probe_error(&s->probe);

	(void)events;
	if (r == 0)
		r = probe_get(&s->probe, s->path, true, on_answer, s);
	if (r < 0)
		finish(s, r);
}

static void on_timer(void *arg)
{
	struct scrape *s = arg;

	finish(s, s->failed ? s->failed : -ETIMEDOUT);
}

int scrape_start(struct loop *loop, const struct network *net, uint32_t ip, uint16_t port,
	const char *path, scrape_fn *fn, void *arg, struct scrape **out)
{
	struct scrape *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	*s = (struct scrape){.fn = fn, .arg = arg};
	snprintf(s->path, sizeof(s->path), "%s", path);
	r = probe_init(&s->probe, loop, net, ip, port, on_timer, s);
	if (r < 0) {
		free(s);
		return r;
	}
	s->failed = probe_connect(&s->probe, on_connected, s);
	loop_timer_set(s->probe.timer, s->failed ? 0 : SCRAPE_NS);
	*out = s;
	return 0;
}
