/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same call on the host's Linux and on the libOS, results compared. Arguments that differ between the two are marked: FD(slot) is
 * the descriptor that a call with RET_FD put in that slot, BUF(offset) an address in a buffer that each side has.
 */
#ifndef TESTS_UNIT_LIBOS_FS_BOTH_H
#define TESTS_UNIT_LIBOS_FS_BOTH_H

#include <stdint.h>

#define FD(slot)    (0x7fee000000000000ull + (slot))
#define BUF(offset) (0x7fed000000000000ull + (offset))
#define STR(s)      ((uint64_t)(uintptr_t)(s))
#define BOTH_BUF    65536

extern char host_buf[BOTH_BUF], libos_buf[BOTH_BUF];

/* Makes both sides stand in an empty directory of a tmpfs. Skips (77) when the host has none. */
void both_init(void);
/* The same with an image below: populate() makes a tree in the host's directory, by host_call(); an image of it is what the libOS stands in. */
void both_init_image(void (*populate)(void), const char *mkfs_options);
void both_fini(void);
/* The two as cmocka wants them. */
int both_setup(void **state);
int both_teardown(void **state);
/* Result of both; fails the test when they differ. */
#define both(...) both_at(__FILE__, __LINE__, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define both_at(file, line, nr, a, b, c, d, e, f, ...)                                             \
	both_call(file, line, nr,                                                                  \
		(const uint64_t[6]){(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d),    \
			(uint64_t)(e), (uint64_t)(f)})
long both_call(const char *file, int line, long nr, const uint64_t a[6]);
/* The same for calls that return a descriptor, which is kept in slot. */
#define both_fd(slot, ...) both_fd_at(__FILE__, __LINE__, slot, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define both_fd_at(file, line, slot, nr, a, b, c, d, e, f, ...)                                    \
	both_fd_call(file, line, slot, nr,                                                         \
		(const uint64_t[6]){(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d),    \
			(uint64_t)(e), (uint64_t)(f)})
long both_fd_call(const char *file, int line, unsigned slot, long nr, const uint64_t a[6]);
/* Descriptors that a call wrote to the buffer (pipe): into slots. */
void both_take_fds(unsigned slot, unsigned n, unsigned offset);
/* The descriptors behind a slot. */
int both_host_fd(unsigned slot);
int both_libos_fd(unsigned slot);
/* The first n bytes of the buffers must be the same. */
#define both_same(n) both_same_at(__FILE__, __LINE__, n)
void both_same_at(const char *file, int line, unsigned n);
/* struct stat at BUF(0) of both: what can be compared, is. */
#define both_same_stat() both_same_stat_at(__FILE__, __LINE__)
void both_same_stat_at(const char *file, int line);

#endif
