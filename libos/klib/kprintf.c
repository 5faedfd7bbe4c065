/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The libOS's own words on the console. kprintf() goes the way of the program's output, so that lines keep their order;
 * panic() goes byte by byte through the platform, because nothing else may work any more.
 */
#include "libos/klib/kprintf.h"

#include "libos/arch/x86_64/cpu.h"
#include "libos/drv/console.h"
#include "libos/drv/platform.h"
#include "libos/klib/string.h"

#define LINE_BYTES 512

static size_t format_line(char *line, const char *fmt, va_list ap)
{
	static const char prefix[] = "libos: ";
	size_t n = sizeof(prefix) - 1;

	memcpy(line, prefix, n);
	n += (size_t)vsnprintf(line + n, LINE_BYTES - n - 1, fmt, ap);
	if (n > LINE_BYTES - 2)
		n = LINE_BYTES - 2;
	line[n++] = '\n';
	return n;
}

void kprintf(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = format_line(line, fmt, ap);
	va_end(ap);
	console_write(line, n);
}

static void debug_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void debug_line(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = format_line(line, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < n; i++)
		platform_debug_putc(line[i]);
}

void panic(const char *fmt, ...)
{
	static bool again;
	uint64_t pc[24];
	char line[LINE_BYTES - 16];
	unsigned n;
	va_list ap;

	if (!again) {
		again = true;
		va_start(ap, fmt);
		vsnprintf(line, sizeof(line), fmt, ap);
		va_end(ap);
		debug_line("panic: %s", line);
		n = cpu_backtrace(pc, sizeof(pc) / sizeof(pc[0]));
		for (unsigned i = 0; i < n; i++)
			debug_line("  at 0x%lx", pc[i]);
	}
	platform_exit(UIG_EXIT_PANIC, 1);
}
