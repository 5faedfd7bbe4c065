/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits of the process (getrlimit(2)), in the units of that page: bytes, descriptors. */
#ifndef LIBOS_SYS_LIMITS_H
#define LIBOS_SYS_LIMITS_H

#include <stdint.h>

#define RLIM_INFINITY        UINT64_MAX
#define RLIMIT_STACK_DEFAULT (8ull << 20)

enum {
	RLIMIT_CPU,
	RLIMIT_FSIZE,
	RLIMIT_DATA,
	RLIMIT_STACK,
	RLIMIT_CORE,
	RLIMIT_RSS,
	RLIMIT_NPROC,
	RLIMIT_NOFILE,
	RLIMIT_MEMLOCK,
	RLIMIT_AS,
	RLIMIT_LOCKS,
	RLIMIT_SIGPENDING,
	RLIMIT_MSGQUEUE,
	RLIMIT_NICE,
	RLIMIT_RTPRIO,
	RLIMIT_RTTIME,
	RLIM_NLIMITS,
};

struct rlimit64 {
	uint64_t cur, max;
};

uint64_t rlimit_soft(unsigned resource);
uint64_t rlimit_hard(unsigned resource);

#endif
