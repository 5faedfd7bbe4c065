/* SPDX-License-Identifier: Apache-2.0 */
/* What adjtimex refuses, and in which order: nothing here changes a clock. */
#include "tests/guest/guest.h"

#include <sys/timex.h>

static void try(const char *what, struct timex t)
{
	int rc = (int)syscall(SYS_adjtimex, &t);

	say("%s: %s\n", what, rc < 0 ? errname(errno) : "ok");
}

static void all(void)
{
	try("nothing", (struct timex){0});
	try("tick too small", (struct timex){.modes = ADJ_TICK, .tick = 8999});
	try("tick too large", (struct timex){.modes = ADJ_TICK, .tick = 11001});
	try("adjtime without an offset", (struct timex){.modes = 0x8000});
	try("what adjtime left", (struct timex){.modes = ADJ_OFFSET_SS_READ});
	try("offset of -1 us", (struct timex){.modes = ADJ_SETOFFSET, .time = {0, -1}});
	try("offset of 1000000 us", (struct timex){.modes = ADJ_SETOFFSET, .time = {0, 1000000}});
	try("offset of 1000000000 ns",
		(struct timex){.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {0, 1000000000}});
	try("offset to before all time",
		(struct timex){.modes = ADJ_SETOFFSET, .time = {INT64_MIN, 0}});
	try("frequency", (struct timex){.modes = ADJ_FREQUENCY, .freq = INT64_MAX});
	try("frequency", (struct timex){.modes = ADJ_FREQUENCY, .freq = INT64_MIN});
}

int main(void)
{
	all();
	say("-- another user\n");
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	all();
	return 0;
}
