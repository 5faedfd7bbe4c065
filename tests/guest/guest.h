/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest test programs print with: a line a call, the call as written and what came of it, so that the output on Linux
 * is the expectation for the libOS. A program prints nothing that differs between two runs on Linux: no addresses,
 * no process ids, no times. Every line is one write(2): nothing is lost when the program ends by a signal.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE          4096ul
#define MAY_BE_UNUSED __attribute__((unused))
/* Addresses that no program may use: nothing mapped, the top of the user half, the kernel's half. */
#define BAD_PTR    ((void *)8)
#define BAD_TOP    ((void *)0x7ffffffff000ul)
#define BAD_KERNEL ((void *)0xffff880000001000ul)

/* The call as written, "= value" or "= -1 ENAME". For small values that are the same everywhere. */
#define SHOW(call) SHOW_WITH(show_value, #call, call)
/* The same when only success counts: "= ok" or "= -1 ENAME". */
#define SHOW_OK(call) SHOW_WITH(show_ok, #call, call)
/* The system call itself, without the C library in front: "name(arguments) = value". */
#define RAW(name, ...)                                                                             \
	SHOW_WITH(show_value, #name "(" #__VA_ARGS__ ")", syscall(SYS_##name, __VA_ARGS__))
#define SHOW_WITH(how, text, call)                                                                 \
	do {                                                                                       \
		long value_;                                                                       \
                                                                                                   \
		errno = 0;                                                                         \
		value_ = (long)(call);                                                             \
		how(text, value_, errno);                                                          \
	} while (0)
/* For pthread functions and others that return the error number. */
#define SHOW_ERR(call) show_err(#call, (call))
/* "condition: yes" or "no". */
#define ASK(condition) say("%s: %s\n", #condition, (condition) ? "yes" : "no")

/* Where the program works: on a volume, when the test says so. */
static MAY_BE_UNUSED __attribute__((constructor)) void enter_folder(void)
{
	const char *folder = getenv("GUEST_DIR");

	if (folder && chdir(folder) < 0)
		_exit(99);
}

static MAY_BE_UNUSED __attribute__((format(printf, 1, 2))) void say(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	for (int done = 0, r; done < n; done += r) {
		r = (int)write(STDOUT_FILENO, line + done, (size_t)(n - done));
		if (r <= 0)
			_exit(99);
	}
}

static MAY_BE_UNUSED const char *errname(int error)
{
#define E(name)                                                                                    \
	{                                                                                          \
		name, #name                                                                        \
	}
	static const struct {
		int error;
		const char *name;
	} names[] = {{0, "0"}, E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG),
		E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT),
		E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL),
		E(ENFILE), E(EMFILE), E(ENOTTY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS),
		E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK),
		E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(EOVERFLOW), E(ENOTSOCK), E(EDESTADDRREQ),
		E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT), E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT),
		E(EOPNOTSUPP), E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETUNREACH),
		E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN), E(ESHUTDOWN),
		E(ETIMEDOUT), E(ECONNREFUSED), E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS),
		E(ECANCELED), E(EOWNERDEAD), E(ENOTRECOVERABLE), E(ETXTBSY), E(ENODATA), E(ENOMSG),
		E(EIDRM)};
#undef E

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].error == error)
			return names[i].name;
	}
	return "another error";
}

static MAY_BE_UNUSED void show_value(const char *call, long value, int error)
{
	if (value == -1)
		say("%s = -1 %s\n", call, errname(error));
	else
		say("%s = %ld\n", call, value);
}

static MAY_BE_UNUSED void show_ok(const char *call, long value, int error)
{
	if (value == -1)
		say("%s = -1 %s\n", call, errname(error));
	else
		say("%s = ok\n", call);
}

static MAY_BE_UNUSED void show_err(const char *call, int error)
{
	say("%s = %s\n", call, errname(error));
}

/* For set-up that the program is not about: says which line failed and ends the program. */
#define NEED(condition)                                                                            \
	do {                                                                                       \
		errno = 0;                                                                         \
		if (!(condition)) {                                                                \
			say("%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, errname(errno));    \
			_exit(98);                                                                 \
		}                                                                                  \
	} while (0)

static MAY_BE_UNUSED int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static MAY_BE_UNUSED void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

/* A thread that must start. */
static MAY_BE_UNUSED pthread_t start_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	NEED(pthread_create(&thread, NULL, fn, arg) == 0);
	return thread;
}

static MAY_BE_UNUSED void on_signal(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	sigemptyset(&sa.sa_mask);
	NEED(sigaction(signo, &sa, NULL) == 0);
}

/* A reproducible byte stream, for checks of data that was moved. */
static MAY_BE_UNUSED void fill_pattern(void *data, size_t len, uint32_t seed)
{
	unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		p[i] = (unsigned char)(seed >> 24);
	}
}

static MAY_BE_UNUSED bool all_bytes(const void *data, size_t len, unsigned char value)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		if (p[i] != value)
			return false;
	}
	return true;
}

#endif
