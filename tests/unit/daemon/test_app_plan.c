/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner of applications. What is wanted and what is there are written as words, the steps come back as words:
 *
 *   wanted    NAME=REPLICAS[<DEPENDENCIES][!]                  "a=1 b=2<a": two of b behind one of a; ! is held; <A: until a is done
 *   there     NAME SERIAL STATE[*]                            "a1r": replica 1 of a is ready; * is outdated
 *             states: s starting, r ready, t stopping, d done, e ended; service x is none that is wanted
 *   steps     -a1 removed, /a1 stopped, +a started
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/app/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 64

struct world {
	struct plan_service services[8];
	struct plan_replica replicas[MANY];
	struct plan_input in;
};

static unsigned read_number(const char **text)
{
	unsigned n = 0;

	while (**text >= '0' && **text <= '9')
		n = n * 10 + (unsigned)(*(*text)++ - '0');
	return n;
}

static void read_wanted(struct world *w, const char *text)
{
	unsigned n = 0;

	while (*text) {
		struct plan_service *s = &w->services[n];

		assert_int_equal(text[0], 'a' + n);
		assert_int_equal(text[1], '=');
		text += 2;
		s->replicas = read_number(&text);
		if (*text == '<') {
			for (text++; isalpha(*text); text++) {
				s->deps |= UINT64_C(1) << (tolower(*text) - 'a');
				s->done |= isupper(*text) ? UINT64_C(1) << (*text - 'A') : 0;
			}
		}
		if (*text == '!') {
			s->held = true;
			text++;
		}
		text += *text == ' ';
		n++;
	}
	w->in.services = w->services;
	w->in.service_count = n;
}

static void read_there(struct world *w, const char *text)
{
	static const char states[] = "srtde";
	unsigned n = 0;

	while (*text) {
		struct plan_replica *r = &w->replicas[n++];
		char name = *text;

		r->service = name == 'x' ? PLAN_NO_SERVICE : name - 'a';
		text++;
		r->serial = read_number(&text);
		assert_non_null(strchr(states, *text));
		r->state = (enum replica_state)(strchr(states, *text) - states);
		text++;
		if (*text == '*') {
			r->outdated = true;
			text++;
		}
		text += *text == ' ';
	}
	w->in.replicas = w->replicas;
	w->in.replica_count = n;
}

static void read_world(struct world *w, const char *wanted, const char *there)
{
	*w = (struct world){0};
	read_wanted(w, wanted);
	read_there(w, there);
}

static char name_of(const struct plan_replica *r)
{
	return r->service == PLAN_NO_SERVICE ? 'x' : (char)('a' + r->service);
}

static void write_steps(const struct world *w, char *out, size_t size)
{
	struct plan_step steps[MANY];
	unsigned count = plan_make(&w->in, steps, MANY);
	size_t len = 0;

	out[0] = '\0';
	assert_true(count <= plan_steps_max(&w->in));
	for (unsigned n = 0; n < count; n++) {
		const struct plan_replica *r = &w->replicas[steps[n].index];

		if (steps[n].kind == PLAN_START)
			len += (size_t)snprintf(
				out + len, size - len, "+%c ", 'a' + (int)steps[n].index);
		else
			len += (size_t)snprintf(out + len, size - len, "%c%c%u ",
				steps[n].kind == PLAN_STOP ? '/' : '-', name_of(r), r->serial);
	}
	if (len)
		out[len - 1] = '\0';
}

static void expect(const char *wanted, const char *there, const char *steps)
{
	struct world w;
	char got[512];

	read_world(&w, wanted, there);
	write_steps(&w, got, sizeof(got));
	if (strcmp(got, steps) != 0)
		fail_msg("wanted \"%s\", there \"%s\": \"%s\" and not \"%s\"", wanted, there, got,
			steps);
}

static void expect_end(const char *wanted, const char *there, const char *steps)
{
	struct world w;
	char got[512];

	read_world(&w, wanted, there);
	w.in.removing = true;
	write_steps(&w, got, sizeof(got));
	assert_string_equal(got, steps);
}

static void test_starts(void **state)
{
	(void)state;
	expect("", "", "");
	expect("a=1", "", "+a");
	expect("a=0", "", "");
	expect("a=2 b=1", "", "+a +a +b"); /* beside each other */
	expect("a=2", "a1s", "+a");
	expect("a=1", "a1s", "");
	expect("a=1", "a1r", "");
	expect("a=1", "a1t", ""); /* its ports are not free yet */
	expect("a=1!", "", "");
}

static void test_dependencies(void **state)
{
	(void)state;
	expect("a=1 b=1<a c=1<b", "", "+a");
	expect("a=1 b=1<a c=1<b", "a1s", "");
	expect("a=1 b=1<a c=1<b", "a1r", "+b");
	expect("a=1 b=1<a c=1<b", "a1r b1r", "+c");
	expect("a=2 b=1<a", "a1r a2s", "+b"); /* one that is ready serves */
	expect("a=1 b=1<a", "a1r*", "/a1");   /* but not as it was */
	expect("a=1 b=1<a", "a1d", "+b");     /* a job that is done */
	expect("a=1 b=1<a", "a1e", "+a");
	expect("a=0 b=1<a", "", "+b"); /* nobody wants it */
	expect("a=1! b=1<a c=1", "", "+c");
	expect("a=1 b=1<a", "b1r", "+a"); /* what runs stays */
}

static void test_until_done(void **state)
{
	(void)state;
	expect("a=1 b=1<A", "", "+a");
	expect("a=1 b=1<A", "a1r", ""); /* ready is not enough */
	expect("a=1 b=1<A", "a1d", "+b");
	expect("a=1 b=1<A", "a1e", "+a");
	expect("a=2 b=1<A", "a1d a2r", "");
	expect("a=2 b=1<A", "a1d a2d", "+b");
	expect("a=1 b=1<A", "a1d*", "-a1 +a"); /* it is to be done again */
	expect("a=0 b=1<A", "", "+b");
	expect("a=1 b=1 c=1<Ab", "a1d", "+b");
	expect("a=1 b=1 c=1<Ab", "a1d b1r", "+c");
	expect("a=1 b=1 c=1<Ab", "a1r b1r", "");
}

static void test_what_ends_is_replaced(void **state)
{
	(void)state;
	expect("a=2", "a1e a2r", "+a");
	expect("a=1", "a1e a2e", "-a1 +a"); /* the last one's console stays */
	expect("a=1", "a1e a2r", "");
	expect("a=1", "a1e a2e a3r", "-a1");
	expect("a=1", "a1d", "");
	expect("a=2", "a1d", "+a");
	expect("a=1", "a1d a2d", "-a1");
	expect("a=0", "a1d a2e", "-a1");
	expect("a=1", "a1d a2r", "-a1");
	expect("a=1", "a1d*", "-a1 +a");
}

static void test_too_much(void **state)
{
	(void)state;
	expect("a=1", "a1r a2r a3r", "/a3 /a2");
	expect("a=1", "a1s a2r", "/a1"); /* what is not ready goes first */
	expect("a=1", "a1r a2t", "");
	expect("a=0", "a1r", "/a1");
	expect("a=1", "a1r x1r x2t x3e", "-x3 /x1");
	expect("a=1", "a1r* a2r", "/a1");
}

static void test_one_by_one(void **state)
{
	(void)state;
	expect("a=1", "a1r*", "/a1");
	expect("a=1", "a1t*", "");
	expect("a=1", "a1e*", "-a1 +a");
	expect("a=3", "a1r* a2r* a3r*", "/a1");
	expect("a=3", "a1t* a2r* a3r*", "");
	expect("a=3", "a1e* a2r* a3r*", "-a1 +a");
	expect("a=3", "a4s a2r* a3r*", "");
	expect("a=3", "a4r a2r* a3r*", "/a2");
	expect("a=3", "a1s* a2r* a3r*", "/a1"); /* serves nobody */
	expect("a=3", "a1s* a2s* a3r*", "/a1 /a2");
	expect("a=3", "a1r*", "+a +a"); /* others first */
	expect("a=1", "a1r* a2r* a3r*", "/a3 /a2");
	expect("a=1 b=1<a", "a1r* b1r*", "/a1"); /* behind what it depends on */
	expect("a=1 b=1<a", "a2s b1r*", "");
	expect("a=1 b=1<a", "a2r b1r*", "/b1");
	expect("a=1! b=1<a", "a1e b1r*", ""); /* the old one serves while that fails */
}

static void test_the_end(void **state)
{
	(void)state;
	expect_end("a=1 b=1<a c=1<b d=1", "a1r b1s c1r d1r", "/c1 /d1");
	expect_end("a=1 b=1<a c=1<b d=1", "a1r b1r c1t d1t", "");
	expect_end("a=1 b=1<a c=1<b d=1", "a1r b1r c1e d1d", "-c1 -d1 /b1");
	expect_end("a=1 b=1<a", "a1r x1r", "/a1 /x1");
	expect_end("a=1", "", "");
}

static void test_settled(void **state)
{
	static const struct {
		const char *wanted, *there;
		bool settled;
	} cases[] = {
		{"", "", true},
		{"a=1", "", false},
		{"a=1", "a1s", false},
		{"a=1", "a1r", true},
		{"a=1", "a1r*", false},
		{"a=1", "a1d", true},
		{"a=1", "a1e", false},
		{"a=1", "a1r a2t", false},
		{"a=1", "a1r x2t", false},
		{"a=1", "a1e a2r", true},
		{"a=2 b=0", "a1r a2r", true},
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct world w;

		read_world(&w, cases[n].wanted, cases[n].there);
		if (plan_is_settled(&w.in) != cases[n].settled)
			fail_msg("wanted \"%s\", there \"%s\"", cases[n].wanted, cases[n].there);
	}
}

static void test_order(void **state)
{
	struct world w;
	unsigned circle;

	(void)state;
	read_world(&w, "a=1<b b=1<c c=1", "");
	assert_true(plan_has_order(w.services, 3, &circle));
	read_world(&w, "a=1 b=1<c c=1<b", "");
	assert_false(plan_has_order(w.services, 3, &circle));
	assert_int_equal(circle, 1);
	read_world(&w, "a=1<a", "");
	assert_false(plan_has_order(w.services, 1, &circle));
}

/* --- it always gets there ------------------------------------------------------------------------------------------ */
/* What the steps and then time do: replicas that start become ready, those that are stopped end. */
static void act(struct world *w, unsigned *serial)
{
	struct plan_step steps[MANY];
	unsigned count = plan_make(&w->in, steps, MANY);
	bool gone[MANY] = {false};
	unsigned kept = 0;

	for (unsigned n = 0; n < w->in.replica_count; n++) {
		struct plan_replica *r = &w->replicas[n];

		if (r->state == REPLICA_STARTING)
			r->state = REPLICA_READY;
		else if (r->state == REPLICA_STOPPING)
			r->state = REPLICA_ENDED;
	}
	for (unsigned n = 0; n < count; n++) {
		if (steps[n].kind == PLAN_STOP)
			w->replicas[steps[n].index].state = REPLICA_STOPPING;
		else if (steps[n].kind == PLAN_REMOVE)
			gone[steps[n].index] = true;
		else
			w->replicas[w->in.replica_count++] = (struct plan_replica){
				.service = (int)steps[n].index, .serial = ++*serial};
	}
	for (unsigned n = 0; n < w->in.replica_count; n++) {
		if (!gone[n])
			w->replicas[kept++] = w->replicas[n];
	}
	w->in.replica_count = kept;
}

/* At no time a service has more that hold a place than it is to have, or than it had. */
static void expect_room(const struct world *w, const unsigned *before)
{
	for (unsigned s = 0; s < w->in.service_count; s++) {
		struct plan_figures f;
		unsigned most =
			w->services[s].replicas > before[s] ? w->services[s].replicas : before[s];

		plan_figures(&w->in, s, &f);
		assert_true(f.alive + f.stopping <= most);
	}
}

static void random_world(struct world *w, unsigned *seed)
{
	*w = (struct world){0};
	w->in.service_count = 1 + (unsigned)rand_r(seed) % 6;
	for (unsigned s = 0; s < w->in.service_count; s++) {
		w->services[s].replicas = (unsigned)rand_r(seed) % 4;
		w->services[s].deps = (uint64_t)rand_r(seed) & ((UINT64_C(1) << s) - 1);
	}
	w->in.replica_count = (unsigned)rand_r(seed) % 20;
	for (unsigned n = 0; n < w->in.replica_count; n++)
		w->replicas[n] = (struct plan_replica){
			.service = rand_r(seed) % ((int)w->in.service_count + 1) - 1,
			.state = (enum replica_state)(rand_r(seed) % 5),
			.outdated = rand_r(seed) & 1,
			.serial = n + 1};
	w->in.services = w->services;
	w->in.replicas = w->replicas;
	w->in.removing = rand_r(seed) % 4 == 0;
}

static void test_it_gets_there(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		unsigned serial = 100, before[8];
		struct world w;

		random_world(&w, &seed);
		for (unsigned s = 0; s < w.in.service_count; s++) {
			struct plan_figures f;

			plan_figures(&w.in, s, &f);
			before[s] = f.alive + f.stopping;
		}
		for (int turn = 0; turn < 100; turn++) {
			act(&w, &serial);
			expect_room(&w, before);
		}
		if (w.in.removing)
			assert_int_equal(w.in.replica_count, 0);
		else
			assert_true(plan_is_settled(&w.in));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts),
		cmocka_unit_test(test_dependencies),
		cmocka_unit_test(test_until_done),
		cmocka_unit_test(test_what_ends_is_replaced),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_it_gets_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
