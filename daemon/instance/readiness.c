/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance/readiness.h"

#include "daemon/network/probe.h"

#include <errno.h>

#define PAUSE_FIRST_NS (1 * NS_PER_MS)
#define PAUSE_MAX_NS   (1 * NS_PER_S)
/* TCP itself would ask again after 1 s only. On a machine with much other work an answer may take longer than this: so an attempt
 * has a quarter of the time that went by so far, when that is more. */
#define ATTEMPT_NS   (250 * NS_PER_MS)
#define ATTEMPT_PART 4

struct readiness {
	void (*fn)(void *arg);
	void *arg;
	struct probe probe; /* its timer: the next attempt, or the end of this one's time */
	int64_t pause_ns;
	int64_t since_ns; /* of the first attempt */
};

static void again_later(struct readiness *r)
{
	probe_close(&r->probe);
	loop_timer_set(r->probe.timer, r->pause_ns);
	r->pause_ns = r->pause_ns * 2 > PAUSE_MAX_NS ? PAUSE_MAX_NS : r->pause_ns * 2;
}

static void connected(void *arg, uint32_t events)
{
	struct readiness *r = arg;

	(void)events;
	if (probe_error(&r->probe) < 0) {
		again_later(r);
		return;
	}
	probe_close(&r->probe); /* an ordinary end: the program sees a client that says nothing */
	loop_timer_cancel(r->probe.timer);
	r->fn(r->arg);
}

static int64_t patience_ns(const struct readiness *r)
{
	int64_t part_ns = (loop_now_ns() - r->since_ns) / ATTEMPT_PART;

	return part_ns > ATTEMPT_NS ? part_ns : ATTEMPT_NS;
}

static void attempt(void *arg)
{
	struct readiness *r = arg;

	/* open: there was no answer in time */
	if (probe_is_open(&r->probe) || probe_connect(&r->probe, connected, r) < 0)
		again_later(r);
	else
		loop_timer_set(r->probe.timer, patience_ns(r));
}

int readiness_new(struct loop *loop, const struct network *net, uint32_t ip, uint16_t port,
	void (*fn)(void *arg), void *arg, struct readiness **out)
{
	struct readiness *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	*r = (struct readiness){
		.fn = fn, .arg = arg, .pause_ns = PAUSE_FIRST_NS, .since_ns = loop_now_ns()};
	err = probe_init(&r->probe, loop, net, ip, port, attempt, r);
	if (err < 0) {
		free(r);
		return err;
	}
	loop_timer_set(r->probe.timer, 0);
	*out = r;
	return 0;
}

void readiness_free(struct readiness *r)
{
	if (!r)
		return;
	probe_fini(&r->probe);
	free(r);
}
