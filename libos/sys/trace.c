/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/sys/trace.h"

#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/thread.h"
#include "libos/sys/table.h"

#define TRACE_LINE   256
#define TRACE_STRING 48
#define MAX_ERRNO    4095

/* A string argument in quotes, cut at TRACE_STRING; what is not printable shows as a dot. */
static int print_string(char *dst, size_t size, uptr_t addr)
{
	char s[TRACE_STRING];
	long len = strncpy_from_user(s, addr, sizeof(s));

	if (len < 0 && len != -36 /* ENAMETOOLONG: the first part is there */)
		return snprintf(dst, size, "%#llx", (unsigned long long)addr);
	s[sizeof(s) - 1] = '\0';
	for (char *c = s; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '.';
	}
	return snprintf(dst, size, "\"%s\"%s", s, len < 0 ? "..." : "");
}

static int print_arg(char *dst, size_t size, char format, uint64_t value)
{
	switch (format) {
	case 'd':
		return snprintf(dst, size, "%d", (int)value);
	case 'u':
		return snprintf(dst, size, "%llu", (unsigned long long)value);
	case 'l':
		return snprintf(dst, size, "%lld", (long long)value);
	case 'o':
		return snprintf(dst, size, "0%o", (unsigned)value);
	case 's':
		return print_string(dst, size, value);
	default: /* p, x */
		return snprintf(dst, size, "%#llx", (unsigned long long)value);
	}
}

void trace_call(uint64_t nr, const uint64_t a[6], long result, uint64_t start_ns)
{
	const struct syscall_entry *entry = nr < SYSCALL_TABLE_SIZE ? &syscall_table[nr] : NULL;
	const char *format = entry && entry->format ? entry->format : "xxxxxx";
	char line[TRACE_LINE];
	size_t n = 0;

	for (int i = 0; i < 6 && format[i] && n < sizeof(line) - 1; i++) {
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s", i ? ", " : "");
		if (n < sizeof(line) - 1)
			n += (size_t)print_arg(line + n, sizeof(line) - n, format[i], a[i]);
	}
	line[n < sizeof(line) ? n : sizeof(line) - 1] = '\0';
	kprintf("[%d] %s(%s) = %s%lld <%llu us>", thread_tid(thread_current()),
		entry && entry->name ? entry->name : "unknown", line,
		result < 0 && result >= -MAX_ERRNO ? "errno " : "",
		(long long)(result < 0 && result >= -MAX_ERRNO ? -result : result),
		(unsigned long long)(clock_mono_ns() - start_ns) / 1000);
}
