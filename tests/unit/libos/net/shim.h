/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The libOS below net/ and drv/, made of the host: memory from malloc, the program's addresses are host pointers, time stands still
 * unless somebody waits. A wait runs the pollers and then jumps to the next timer, so that a test is deterministic and takes no time.
 */
#ifndef TESTS_UNIT_LIBOS_NET_SHIM_H
#define TESTS_UNIT_LIBOS_NET_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;

/* ---- time and waiting */
extern uint64_t shim_now;       /* clock_mono_ns() */
void shim_settle(void);         /* runs pollers until nothing is pending; time stands still */
void shim_run(uint64_t ns);     /* lets so much time pass, with its timers */
uint64_t shim_next_timer(void); /* deadline of the next timer, UINT64_MAX: none is armed */
extern bool shim_deadlock;      /* a wait had nothing to wait for: it returned -EINTR */
extern bool shim_signal;        /* waits end with -EINTR */
extern unsigned shim_sigpipes;

/* ---- failures */
extern long shim_fail_after; /* the n-th allocation from now on fails, and all after it; -1: none */
extern uint64_t shim_bad, shim_bad_end; /* a range that the program has not mapped */
long shim_live(void);                   /* allocations and pages that are not freed */

/* ---- the other side of the wire: a virtio-net device that is played by the test */
extern void (*shim_device)(void); /* called when the guest waits, kicks, or lets the devices work */
extern unsigned shim_notifies;
extern bool shim_wait_serves; /* platform_wait_serves() */

/* ---- system calls by name: the six arguments as integers */
long shim_call(long (*fn)(const uint64_t a[6]), uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	uint64_t a4, uint64_t a5);
#define CALL(name, ...) SHIM_PICK(name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SHIM_PICK(name, a, b, c, d, e, f, ...)                                                     \
	shim_call(sys_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d),          \
		(uint64_t)(e), (uint64_t)(f))
long shim_read(int fd, void *buf, size_t n);
long shim_write(int fd, const void *buf, size_t n);
uint32_t shim_poll(int fd);
int shim_set_nonblock(int fd);
struct file *fd_file(int fd);
int fd_close(int fd);

extern char shim_console[8192]; /* what kprintf said */

#endif
