/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance/health.h"

#include "daemon/network/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define PAUSE_FIRST_NS (10 * NS_PER_MS) /* in the start period, then twice that, ... */

_Static_assert(HEALTH_PATH_BYTES <= PROBE_PATH_BYTES, "probe_get() takes it");

struct health {
	struct health_spec spec;
	struct health_tally tally;
	int64_t started_ns, pause_ns;
	health_fn *fn;
	void *arg;
	struct probe probe; /* its timer: the next check, or the end of this one's time */
	char line[HEALTH_LINE_BYTES];
	size_t len;
	char why[96];
};

static int64_t pause_until_next(struct health *h)
{
	int64_t interval_ns = (int64_t)h->spec.interval_ms * NS_PER_MS, pause = h->pause_ns;

	if (h->tally.state != HEALTH_STARTING ||
		loop_now_ns() - h->started_ns >= (int64_t)h->spec.start_period_ms * NS_PER_MS ||
		pause >= interval_ns)
		return interval_ns;
	h->pause_ns *= 2;
	return pause;
}

/* fn may free it. */
static void result(struct health *h, const char *why)
{
	health_fn *fn = h->fn;
	void *arg = h->arg;
	bool changed;

	probe_close(&h->probe);
	snprintf(h->why, sizeof(h->why), "%s", why);
	changed = health_count(&h->tally, &h->spec, !*why, loop_now_ns() - h->started_ns);
	loop_timer_set(h->probe.timer, pause_until_next(h));
	if (changed)
		fn(arg, h->tally.state, h->why);
}

/* r: -errno, or 0 when there is none. */
static void failed(struct health *h, const char *what, int r)
{
	char why[96];

	snprintf(why, sizeof(why), "port %u: %s%s%s", h->spec.port, what, r ? ": " : "",
		r ? strerror(-r) : "");
	result(h, why);
}

static void take_status(struct health *h, int status)
{
	char why[96];

	if (status >= 200 && status < 400) {
		result(h, "");
		return;
	}
	snprintf(why, sizeof(why), "GET %.40s: status %d", h->spec.path, status);
	result(h, why);
}

static void answered(void *arg, uint32_t events)
{
	struct health *h = arg;
	ssize_t n = recv(h->probe.fd, h->line + h->len, sizeof(h->line) - h->len, 0);
	int status;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		failed(h, "no answer", n < 0 ? -errno : 0);
		return;
	}
	h->len += (size_t)n;
	status = health_status(h->line, h->len);
	if (status == -EAGAIN)
		return;
	if (status < 0)
		failed(h, "the answer is not HTTP", 0);
	else
		take_status(h, status);
}

static void ask(struct health *h)
{
	int r;

	h->len = 0;
	r = probe_get(&h->probe, h->spec.path, false, answered, h);
	if (r < 0)
		failed(h, "cannot ask", r);
}

static void connected(void *arg, uint32_t events)
{
	struct health *h = arg;
	int r = probe_error(&h->probe);

	(void)events;
	if (r < 0)
		failed(h, "cannot connect", r);
	else if (h->spec.kind == HEALTH_HTTP)
		ask(h);
	else
		result(h, "");
}

static void check(void *arg)
{
	struct health *h = arg;
	int r;

	if (probe_is_open(&h->probe)) {
		failed(h, "no answer in time", 0);
		return;
	}
	r = probe_connect(&h->probe, connected, h);
	if (r < 0)
		failed(h, "cannot connect", r);
	else
		loop_timer_set(h->probe.timer, (int64_t)h->spec.timeout_ms * NS_PER_MS);
}

int health_new(struct loop *loop, const struct network *net, uint32_t ip,
	const struct health_spec *spec, health_fn *fn, void *arg, struct health **out)
{
	struct health *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	*h = (struct health){.spec = *spec,
		.fn = fn,
		.arg = arg,
		.started_ns = loop_now_ns(),
		.pause_ns = PAUSE_FIRST_NS};
	r = probe_init(&h->probe, loop, net, ip, spec->port, check, h);
	if (r < 0) {
		free(h);
		return r;
	}
	loop_timer_set(h->probe.timer, 0);
	*out = h;
	return 0;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	probe_fini(&h->probe);
	free(h);
}

void health_rest(struct health *h)
{
	probe_close(&h->probe);
	loop_timer_cancel(h->probe.timer);
}

const char *health_why(const struct health *h)
{
	return h->why;
}
