/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/template/exercise.h"

#include "daemon/network/probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#define ANSWER_NS (1 * NS_PER_S)   /* for the first byte of an answer */
#define QUIET_NS  (50 * NS_PER_MS) /* a server that does not close: it has said what it had to */
#define ALL_NS    (20 * NS_PER_S)  /* of all requests together */

_Static_assert(EXERCISE_PATH_BYTES <= PROBE_PATH_BYTES, "probe_get() takes it");

struct exercise {
	struct exercise_spec spec;
	exercise_fn *fn;
	void *arg;
	struct probe probe; /* its timer: the next request, or the end of this one's time */
	bool heard;         /* something of the answer */
	unsigned begun, answered;
	int64_t end_ns;
};

/* fn may free it. */
static void finish(struct exercise *x)
{
	probe_close(&x->probe);
	loop_timer_cancel(x->probe.timer);
	x->fn(x->arg, x->answered);
}

static void over(struct exercise *x)
{
	probe_close(&x->probe);
	x->answered += x->heard;
	if (x->heard && x->begun < x->spec.requests && loop_now_ns() < x->end_ns)
		loop_timer_set(x->probe.timer, 0);
	else
		finish(x);
}

static void answered(void *arg, uint32_t events)
{
	struct exercise *x = arg;
	char data[4096];
	ssize_t n = recv(x->probe.fd, data, sizeof(data), 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || loop_now_ns() >= x->end_ns) {
		over(x);
		return;
	}
	x->heard = true;
	loop_timer_set(x->probe.timer, QUIET_NS);
}

static void connected(void *arg, uint32_t events)
{
	struct exercise *x = arg;

	(void)events;
	if (probe_get(&x->probe, x->spec.path, false, answered, x) < 0)
		over(x);
}

static void next(void *arg)
{
	struct exercise *x = arg;

	if (probe_is_open(&x->probe)) { /* its time is over */
		over(x);
		return;
	}
	x->heard = false;
	x->begun++;
	if (probe_connect(&x->probe, connected, x) < 0)
		over(x);
	else
		loop_timer_set(x->probe.timer, ANSWER_NS);
}

int exercise_new(struct loop *loop, const struct network *net, const struct exercise_spec *spec,
	exercise_fn *fn, void *arg, struct exercise **out)
{
	struct exercise *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	*x = (struct exercise){
		.spec = *spec, .fn = fn, .arg = arg, .end_ns = loop_now_ns() + ALL_NS};
	r = probe_init(&x->probe, loop, net, spec->ip, spec->port, next, x);
	if (r < 0) {
		free(x);
		return r;
	}
	loop_timer_set(x->probe.timer, 0);
	*out = x;
	return 0;
}

void exercise_free(struct exercise *x)
{
	if (!x)
		return;
	probe_fini(&x->probe);
	free(x);
}
