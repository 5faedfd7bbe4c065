/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests that include a libOS source file as it is: cmocka, and names that the host's C library has too are moved out of the way.
 * panic() ends the test, kprintf() keeps its last line in said.
 */
#ifndef TESTS_UNIT_LIBOS_CORE_H
#define TESTS_UNIT_LIBOS_CORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#undef assert

#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"

static char said[512] __attribute__((unused));

void kprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	mock_assert(0, "panic", __FILE__, __LINE__);
	abort();
}

#endif
