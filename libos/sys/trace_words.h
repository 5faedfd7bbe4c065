/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the Linux ABI as words, for the trace. */
#ifndef LIBOS_SYS_TRACE_WORDS_H
#define LIBOS_SYS_TRACE_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* "ENOENT"; NULL for a number that is none. */
const char *errno_name(unsigned error);

/* Each writes at most size bytes with the NUL, and returns the length as snprintf() does. */
int words_open(char *dst, size_t size, uint64_t flags);
int words_prot(char *dst, size_t size, uint64_t prot);
int words_map(char *dst, size_t size, uint64_t flags);
int words_clone(char *dst, size_t size, uint64_t flags);
int words_signal(char *dst, size_t size, uint64_t signo);
int words_futex(char *dst, size_t size, uint64_t op);
int words_domain(char *dst, size_t size, uint64_t domain);
int words_socket_type(char *dst, size_t size, uint64_t type);

#endif
