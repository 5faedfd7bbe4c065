/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the libOS on the console, each a line that begins with "libos: ". */
#ifndef LIBOS_KLIB_KPRINTF_H
#define LIBOS_KLIB_KPRINTF_H

#include <stdarg.h>

/* Buffered like the program's own output; fmt without the prefix and without a newline. */
void kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The libOS found itself broken: prints the sentence and a backtrace, ends the VM with UIG_EXIT_PANIC. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For our own bugs only, never on input. */
#define kassert(cond)                                                                              \
	do {                                                                                       \
		if (!(cond))                                                                       \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);           \
	} while (0)

#endif
