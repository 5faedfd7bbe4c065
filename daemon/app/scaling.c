/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services with a `scale` (scale.h): each has a timer that asks the first ready replica of the service whose metric counts, and sets how
 * many replicas are wanted, as POST /app/{name}/scale does. What cannot be asked changes nothing. Between two looks nothing is remembered that
 * is not also the application's own (the number of replicas): the next manager goes on from there.
 */
#include "daemon/app/app_impl.h"
#include "daemon/app/scrape.h"
#include "daemon/core.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <string.h>

struct scaler {
	struct app *app;
	unsigned service; /* of app->spec */
	struct scale_state state;
	struct loop_timer *timer;
	struct scrape *scrape; /* under way */
	bool silent;           /* that it cannot be asked has been said */
	struct scaler *next;
};

static const struct scale_spec *spec_of(const struct scaler *s)
{
	return &s->app->spec.services[s->service].scale;
}

static void later(struct scaler *s)
{
	loop_timer_set(s->timer, spec_of(s)->interval_ms * NS_PER_MS);
}

static void cannot(struct scaler *s, const char *why)
{
	const struct scale_spec *spec = spec_of(s);

	if (!s->silent)
		log_warn("a service is not scaled",
			"app=%s service=%s metric=%s of=%s reason=\"%s\"", s->app->name,
			s->app->spec.services[s->service].name, spec->name, spec->service, why);
	s->silent = true;
	later(s);
}

static void on_page(void *arg, int code, const char *answer, size_t len)
{
	struct scaler *s = arg;
	const struct app_service *service = &s->app->spec.services[s->service];
	double value;
	unsigned n;
	int r;

	s->scrape = NULL;
	r = code < 0 ? code : scale_answer(answer, len, service->scale.name, &value);
	if (r < 0) {
		cannot(s, code < 0 ? strerror(-code) : "the metric is not there");
		return;
	}
	s->silent = false;
	n = scale_decide(&service->scale, &s->state, service->replicas, value, loop_now_ns());
	if (n != service->replicas) {
		log_info("scaled", "app=%s service=%s from=%u to=%u metric=%.3f target=%.3f",
			s->app->name, service->name, service->replicas, n, value,
			service->scale.target);
		app_set_replicas(s->app, s->service, n);
	}
	later(s);
}

static const struct instance *whom_to_ask(const struct scaler *s)
{
	const struct instance *i = NULL;

	while ((i = app_instance_next(s->app, spec_of(s)->service, i))) {
		if (i->state == VM_RUNNING && i->ready)
			return i;
	}
	return NULL;
}

static void on_timer(void *arg)
{
	struct scaler *s = arg;
	struct core *core = s->app->apps->core;
	const struct instance *i = whom_to_ask(s);

	if (s->app->removing || core->ending)
		return;
	/* That nobody is there yet is nothing to complain of. */
	if (!i)
		later(s);
	else if (scrape_start(core->loop, core->network, i->ip, (uint16_t)spec_of(s)->port,
			 spec_of(s)->path, on_page, s, &s->scrape) < 0)
		cannot(s, "no memory");
}

void app_scaling_stop(struct app *app)
{
	struct scaler *s;

	while ((s = app->scalers)) {
		app->scalers = s->next;
		scrape_cancel(s->scrape);
		loop_timer_free(s->timer);
		free(s);
	}
}

static void add(struct app *app, unsigned service)
{
	struct scaler *s = calloc(1, sizeof(*s));

	if (!s || loop_timer_new(app->apps->core->loop, on_timer, s, &s->timer) < 0) {
		log_error("a service is not scaled", "app=%s error=\"no memory\"", app->name);
		free(s);
		return;
	}
	s->app = app;
	s->service = service;
	s->next = app->scalers;
	app->scalers = s;
	later(s);
}

void app_scaling_start(struct app *app)
{
	app_scaling_stop(app);
	for (unsigned s = 0; s < app->spec.count && !app->removing; s++) {
		if (app->spec.services[s].scale.max)
			add(app, s);
	}
}
