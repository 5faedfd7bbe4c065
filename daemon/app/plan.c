/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/app/plan.h"

#include <stddef.h>

struct planning {
	const struct plan_input *in;
	struct plan_step *steps;
	unsigned count, max;
};

static void add(struct planning *p, enum plan_kind kind, unsigned index)
{
	if (p->count < p->max)
		p->steps[p->count++] = (struct plan_step){.kind = kind, .index = index};
}

static bool is_alive(const struct plan_replica *r)
{
	return r->state == REPLICA_STARTING || r->state == REPLICA_READY;
}

static bool has_ended(const struct plan_replica *r)
{
	return r->state == REPLICA_DONE || r->state == REPLICA_ENDED;
}

static bool is_of(const struct plan_replica *r, unsigned service)
{
	return r->service == (int)service;
}

void plan_figures(const struct plan_input *in, unsigned service, struct plan_figures *f)
{
	*f = (struct plan_figures){0};
	for (unsigned i = 0; i < in->replica_count; i++) {
		const struct plan_replica *r = &in->replicas[i];

		if (!is_of(r, service))
			continue;
		f->alive += is_alive(r);
		f->ready += r->state == REPLICA_READY;
		f->stopping += r->state == REPLICA_STOPPING;
		f->outdated += is_alive(r) && r->outdated;
		f->done += r->state == REPLICA_DONE && !r->outdated;
	}
}

/* Another service may rely on it: one that is ready and as it is wanted, or has done what it was there for. */
static bool serves(const struct plan_input *in, unsigned service)
{
	if (in->services[service].replicas == 0)
		return true;
	for (unsigned i = 0; i < in->replica_count; i++) {
		const struct plan_replica *r = &in->replicas[i];

		if (is_of(r, service) && !r->outdated &&
			(r->state == REPLICA_READY || r->state == REPLICA_DONE))
			return true;
	}
	return false;
}

/* All that was to be done is done. */
static bool is_done(const struct plan_input *in, unsigned service)
{
	struct plan_figures f;

	plan_figures(in, service, &f);
	return f.done >= in->services[service].replicas;
}

uint64_t plan_waits_for(const struct plan_input *in, unsigned service)
{
	const struct plan_service *of = &in->services[service];
	uint64_t waits_for = 0;

	for (unsigned s = 0; s < in->service_count; s++) {
		if (of->deps >> s & 1 && !(of->done >> s & 1 ? is_done(in, s) : serves(in, s)))
			waits_for |= UINT64_C(1) << s;
	}
	return waits_for;
}

/* --- what has ended ---------------------------------------------------------------------------------------------- */
/* How many of the same service have ended in the same way later. */
static unsigned later_ones(const struct plan_input *in, const struct plan_replica *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < in->replica_count; i++) {
		const struct plan_replica *other = &in->replicas[i];

		n += other->service == r->service && other->state == r->state && !other->outdated &&
			other->serial > r->serial;
	}
	return n;
}

/* Those that have done their work count as replicas, as far as there is room for them beside those that live. */
static bool is_kept(const struct plan_input *in, const struct plan_replica *r)
{
	struct plan_figures f;

	if (in->removing || r->service == PLAN_NO_SERVICE || r->outdated)
		return false;
	if (r->state == REPLICA_ENDED)
		return later_ones(in, r) == 0;
	plan_figures(in, (unsigned)r->service, &f);
	return later_ones(in, r) + f.alive + f.stopping < in->services[r->service].replicas;
}

static void plan_removals(struct planning *p)
{
	for (unsigned i = 0; i < p->in->replica_count; i++) {
		if (has_ended(&p->in->replicas[i]) && !is_kept(p->in, &p->in->replicas[i]))
			add(p, PLAN_REMOVE, i);
	}
}

/* --- what is too much -------------------------------------------------------------------------------------------- */
/* Some service that depends on this one still has something that lives. */
static bool is_needed(const struct plan_input *in, int service)
{
	for (unsigned i = 0; i < in->replica_count; i++) {
		const struct plan_replica *r = &in->replicas[i];

		if (service != PLAN_NO_SERVICE && r->service != PLAN_NO_SERVICE && !has_ended(r) &&
			in->services[r->service].deps >> service & 1)
			return true;
	}
	return false;
}

static void plan_end(struct planning *p)
{
	for (unsigned i = 0; i < p->in->replica_count; i++) {
		const struct plan_replica *r = &p->in->replicas[i];

		if (is_alive(r) && !is_needed(p->in, r->service))
			add(p, PLAN_STOP, i);
	}
}

static bool is_planned(const struct planning *p, unsigned index)
{
	for (unsigned i = 0; i < p->count; i++) {
		if (p->steps[i].kind == PLAN_STOP && p->steps[i].index == index)
			return true;
	}
	return false;
}

/* Whether a is to go before b: what is outdated, then what is not ready, then the last that came. */
static bool goes_before(const struct plan_replica *a, const struct plan_replica *b)
{
	if (a->outdated != b->outdated)
		return a->outdated;
	if (a->state != b->state)
		return a->state == REPLICA_STARTING;
	return a->serial > b->serial;
}

static void stop_one(struct planning *p, unsigned service)
{
	const struct plan_replica *all = p->in->replicas, *chosen = NULL;

	for (unsigned i = 0; i < p->in->replica_count; i++) {
		if (is_of(&all[i], service) && is_alive(&all[i]) && !is_planned(p, i) &&
			(!chosen || goes_before(&all[i], chosen)))
			chosen = &all[i];
	}
	if (chosen)
		add(p, PLAN_STOP, (unsigned)(chosen - all));
}

/* What is not ready serves nobody and goes at once; one that is ready only while all the others are. */
static void stop_outdated(struct planning *p, unsigned service, const struct plan_figures *f)
{
	const struct plan_input *in = p->in;
	bool all_ready = f->ready + f->done >= in->services[service].replicas;

	if (plan_waits_for(in, service))
		return;
	for (unsigned i = 0; i < in->replica_count; i++) {
		const struct plan_replica *r = &in->replicas[i];

		if (!is_of(r, service) || !r->outdated || !is_alive(r))
			continue;
		if (r->state == REPLICA_READY) {
			if (!all_ready)
				continue;
			all_ready = false;
		}
		add(p, PLAN_STOP, i);
	}
}

static void plan_stops(struct planning *p)
{
	const struct plan_input *in = p->in;

	for (unsigned i = 0; i < in->replica_count; i++) {
		if (in->replicas[i].service == PLAN_NO_SERVICE && is_alive(&in->replicas[i]))
			add(p, PLAN_STOP, i);
	}
	for (unsigned s = 0; s < in->service_count; s++) {
		struct plan_figures f;

		plan_figures(in, s, &f);
		for (unsigned n = in->services[s].replicas; n < f.alive; n++)
			stop_one(p, s);
		if (f.alive <= in->services[s].replicas)
			stop_outdated(p, s, &f);
	}
}

/* --- what is missing --------------------------------------------------------------------------------------------- */
static void plan_starts(struct planning *p)
{
	const struct plan_input *in = p->in;

	for (unsigned s = 0; s < in->service_count; s++) {
		const struct plan_service *service = &in->services[s];
		struct plan_figures f;

		plan_figures(in, s, &f);
		if (service->held || plan_waits_for(in, s))
			continue;
		for (unsigned n = f.alive + f.stopping + f.done; n < service->replicas; n++)
			add(p, PLAN_START, s);
	}
}

unsigned plan_make(const struct plan_input *in, struct plan_step *steps, unsigned max)
{
	struct planning p = {.in = in, .steps = steps, .max = max};

	plan_removals(&p);
	if (in->removing) {
		plan_end(&p);
		return p.count;
	}
	plan_stops(&p);
	plan_starts(&p);
	return p.count;
}

unsigned plan_steps_max(const struct plan_input *in)
{
	unsigned n = in->replica_count;

	for (unsigned s = 0; s < in->service_count; s++)
		n += in->services[s].replicas;
	return n;
}

/* --- how it is --------------------------------------------------------------------------------------------------- */
bool plan_service_is_settled(const struct plan_input *in, unsigned service)
{
	struct plan_figures f;

	plan_figures(in, service, &f);
	return f.stopping == 0 && f.outdated == 0 && f.alive == f.ready &&
		f.ready + f.done == in->services[service].replicas;
}

bool plan_is_settled(const struct plan_input *in)
{
	for (unsigned i = 0; i < in->replica_count; i++) {
		if (in->replicas[i].service == PLAN_NO_SERVICE)
			return false;
	}
	for (unsigned s = 0; s < in->service_count; s++) {
		if (!plan_service_is_settled(in, s))
			return false;
	}
	return true;
}

/* Takes away what depends only on what is taken away already: what is left goes in circles. */
bool plan_has_order(const struct plan_service *services, unsigned count, unsigned *service)
{
	uint64_t done = 0;

	for (unsigned round = 0; round < count; round++) {
		for (unsigned s = 0; s < count; s++) {
			if ((services[s].deps & ~done) == 0)
				done |= UINT64_C(1) << s;
		}
	}
	for (unsigned s = 0; s < count; s++) {
		if (!(done >> s & 1)) {
			*service = s;
			return false;
		}
	}
	return true;
}
