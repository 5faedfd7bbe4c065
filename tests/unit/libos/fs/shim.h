/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rest of the libOS, as the file system's unit tests need it, on the host: addresses of the program are host pointers, frames come from an
 * arena that ASan watches, time stands still unless a wait moves it. A wait that nothing will end runs `shim_blocked` (what "another
 * thread" does meanwhile) or, without one, ends as a signal ends it.
 */
#ifndef TESTS_UNIT_LIBOS_FS_SHIM_H
#define TESTS_UNIT_LIBOS_FS_SHIM_H

#include <stddef.h>
#include <stdint.h>

extern void (*shim_blocked)(void);      /* run once, then forgotten */
extern uint64_t shim_now;               /* CLOCK_MONOTONIC */
extern uint64_t shim_real_offset;       /* CLOCK_REALTIME - CLOCK_MONOTONIC */
extern int shim_signal;                 /* last signal_thread_sync() */
extern uint64_t shim_nofile;            /* RLIMIT_NOFILE */
extern uint64_t shim_bad, shim_bad_end; /* addresses that fault */
extern char shim_console[4096];
extern size_t shim_console_len;
extern long
	shim_alloc_fail_after; /* kmalloc and pages: fails from the n-th allocation on; -1: never */
uint64_t shim_pages_used(void);
extern uint64_t shim_unmap_pgoff, shim_unmap_n; /* last vm_unmap_file() */
extern unsigned shim_unmap_calls;

/* A signal comes in. */
void shim_send(int signo);

/* A call of the libOS by number, and the same call of the host. */
long libos_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
long host_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/* CAP_SYS_RESOURCE is given away here and in the libOS: not every root has it, and limits do not hold with it. */
void shim_obey_limits(void);

#endif
