/* SPDX-License-Identifier: Apache-2.0 */
/* Calls under a limit of 10 bytes on the size of files (RLIMIT_FSIZE), and whether SIGXFSZ came. */
#ifndef TESTS_GUEST_SIZE_LIMIT_H
#define TESTS_GUEST_SIZE_LIMIT_H

#include "tests/guest/guest.h"

#include <sys/resource.h>

static int told;

static void handler(int signo, siginfo_t *info, void *context)
{
	told += signo == SIGXFSZ;
}

static void limit(rlim_t bytes)
{
	struct rlimit r = {bytes, RLIM_INFINITY};

	NEED(setrlimit(RLIMIT_FSIZE, &r) == 0);
}

/* The call under the limit, which what is printed shall not meet. */
#define UNDER(call)                                                                                \
	do {                                                                                       \
		long rc_;                                                                          \
		int error_;                                                                        \
                                                                                                   \
		limit(10);                                                                         \
		told = 0;                                                                          \
		errno = 0;                                                                         \
		rc_ = (long)(call);                                                                \
		error_ = errno;                                                                    \
		limit(RLIM_INFINITY);                                                              \
		show_value(told ? "SIGXFSZ: " #call : #call, rc_, error_);                         \
	} while (0)

#endif
