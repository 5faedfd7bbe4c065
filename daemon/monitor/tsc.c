/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor/tsc.h"

#include "lib/loop.h"
#include "lib/util.h"

#include <x86intrin.h>

#define SPAN_NS (20 * NS_PER_MS)
#define TRIES   16
#define LIMIT_TSC                                                                                  \
	5000 /* between the two readings around the clock: nobody took the processor away */

struct reading {
	uint64_t tsc;
	int64_t ns;
};

static struct reading begin;

static struct reading read_both(void)
{
	struct reading r = {0};

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc(), after;

		r.ns = loop_now_ns();
		after = __rdtsc();
		r.tsc = before + (after - before) / 2;
		if (after - before < LIMIT_TSC)
			break;
	}
	return r;
}

void tsc_begin(void)
{
	if (!begin.ns)
		begin = read_both();
}

uint64_t tsc_khz(void)
{
	struct reading now;

	tsc_begin();
	do
		now = read_both();
	while (now.ns - begin.ns < SPAN_NS);
	return (uint64_t)((unsigned __int128)(now.tsc - begin.tsc) * NS_PER_MS /
		(uint64_t)(now.ns - begin.ns));
}
