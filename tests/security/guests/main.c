/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DONE 42

static const struct attack *const tables[] = {crash_attacks, scribble_attacks, ring0_attacks,
	device_attacks, ring_attacks, wire_attacks, exhaust_attacks};

void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0 && write(1, line, (size_t)n) < 0)
		_exit(3);
}

void spin(void)
{
	for (;;)
		__asm__ volatile("" : : : "memory");
}

uint64_t rubbish(void)
{
	static uint64_t x = 0x9e3779b97f4a7c15ull; /* xorshift64 */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

const struct uig_device *find_device(uint32_t type)
{
	const struct uig_bootinfo *boot = bootinfo();

	for (uint32_t i = 0; i < boot->ndevices; i++) {
		if (boot->device[i].type == type)
			return &boot->device[i];
	}
	return NULL;
}

/* Without the libOS, whose console or memory may be broken by now: the text that is on its way is lost. */
static int finish(int status)
{
	if (status == DONE)
		write_platform(UIG_REG_EXIT, UIG_EXIT(UIG_EXIT_CODE, DONE));
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (const struct attack *a = tables[t]; a->name; a++) {
			if (strcmp(a->name, name) != 0)
				continue;
			say("attack %s\n", name);
			return finish(a->run());
		}
	}
	say("there is no attack %s\n", name);
	return 99;
}
