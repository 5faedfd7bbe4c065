/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/sys/trace.h"

#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/thread.h"
#include "libos/sys/table.h"
#include "libos/sys/trace_words.h"

#include <stdbool.h>

#define TRACE_LINE   400
#define TRACE_ANSWER 32
#define TRACE_STRING 48
#define RESTART_LAST 516 /* ERESTARTSYS and its kind, never seen by the program */
#define AT_FDCWD     (-100)

/* Bytes of the program in quotes, as C writes them; what does not fit is left out ("..."). */
static int print_bytes(char *dst, size_t size, const char *bytes, size_t n, bool cut)
{
	size_t at = (size_t)snprintf(dst, size, "\"");

	for (size_t i = 0; i < n && at + 8 < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\n' || c == '\t' || c == '\r')
			at += (size_t)snprintf(dst + at, size - at, "\\%c",
				c == '\n'           ? 'n'
					: c == '\t' ? 't'
						    : 'r');
		else if (c == '"' || c == '\\')
			at += (size_t)snprintf(dst + at, size - at, "\\%c", c);
		else if (c < ' ' || c > '~')
			at += (size_t)snprintf(dst + at, size - at, "\\x%02x", c);
		else
			dst[at++] = (char)c;
	}
	return (int)(at + (size_t)snprintf(dst + at, size - at, "\"%s", cut ? "..." : ""));
}

static int print_hex(char *dst, size_t size, uint64_t value)
{
	return value ? snprintf(dst, size, "%#llx", (unsigned long long)value)
		     : snprintf(dst, size, "0");
}

static int print_pointer(char *dst, size_t size, uint64_t value)
{
	return value ? print_hex(dst, size, value) : snprintf(dst, size, "NULL");
}

static int print_string(char *dst, size_t size, uptr_t addr)
{
	char s[TRACE_STRING];
	long len = strncpy_from_user(s, addr, sizeof(s));

	if (len < 0 && len != -ENAMETOOLONG) /* then the first part is there */
		return print_pointer(dst, size, addr);
	return print_bytes(dst, size, s, len < 0 ? sizeof(s) : (size_t)len, len < 0);
}

static int print_data(char *dst, size_t size, uptr_t addr, uint64_t n)
{
	char s[TRACE_STRING];
	size_t take = n < sizeof(s) ? (size_t)n : sizeof(s);

	if (copy_from_user(s, addr, take))
		return print_pointer(dst, size, addr);
	return print_bytes(dst, size, s, take, take < n);
}

/* One argument; i is its place, for those that need the one behind it or the result. */
static int print_arg(char *dst, size_t size, char format, const uint64_t a[6], int i, long result)
{
	uint64_t value = a[i];

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
	case 'w': /* given: as many bytes as the next argument says */
		return i < 5 ? print_data(dst, size, value, a[i + 1]) : 0;
	case 'r': /* filled: as many as came */
		return result > 0 ? print_data(dst, size, value, (uint64_t)result)
				  : print_pointer(dst, size, value);
	case 'A':
		return (int)value == AT_FDCWD ? snprintf(dst, size, "AT_FDCWD")
					      : snprintf(dst, size, "%d", (int)value);
	case 'F':
		return words_open(dst, size, value);
	case 'P':
		return words_prot(dst, size, value);
	case 'M':
		return words_map(dst, size, value);
	case 'C':
		return words_clone(dst, size, value);
	case 'S':
		return words_signal(dst, size, value);
	case 'X':
		return words_futex(dst, size, value);
	case 'D':
		return words_domain(dst, size, value);
	case 'T':
		return words_socket_type(dst, size, value);
	case 'p':
		return print_pointer(dst, size, value);
	default: /* x */
		return print_hex(dst, size, value);
	}
}

static void print_result(char *dst, size_t size, char format, long result)
{
	const char *name = result < 0 ? errno_name((unsigned)-result) : NULL;

	if (name)
		snprintf(dst, size, "-1 %s", name);
	else if (result < 0 && result >= -RESTART_LAST)
		snprintf(dst, size, "? (interrupted)");
	else if (format == 'p' || format == 'x')
		print_pointer(dst, size, (uint64_t)result);
	else
		snprintf(dst, size, "%lld", (long long)result);
}

void trace_call(uint64_t nr, const uint64_t a[6], long result, uint64_t start_ns)
{
	const struct syscall_entry *entry = nr < SYSCALL_TABLE_SIZE ? &syscall_table[nr] : NULL;
	const char *format = entry && entry->format ? entry->format : "xxxxxx";
	char line[TRACE_LINE], answer[TRACE_ANSWER];
	size_t n = 0;
	int i;

	for (i = 0; i < 6 && format[i] && format[i] != '='; i++) {
		if (n >= sizeof(line) - 2)
			continue;
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s", i ? ", " : "");
		n += (size_t)print_arg(line + n, sizeof(line) - n, format[i], a, i, result);
		if (n >= sizeof(line))
			n = sizeof(line) - 1;
	}
	line[n] = '\0';
	print_result(answer, sizeof(answer), format[i] == '=' ? format[i + 1] : 'd', result);
	kprintf("[%d] %s(%s) = %s <%llu us>", thread_tid(thread_current()), syscall_name(nr), line,
		answer, (unsigned long long)(clock_mono_ns() - start_ns) / 1000);
}
