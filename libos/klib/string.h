/* SPDX-License-Identifier: Apache-2.0 */
/* The part of string.h and stdio.h that the libOS needs; no vector registers, no locale. */
#ifndef LIBOS_KLIB_STRING_H
#define LIBOS_KLIB_STRING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copies at most size - 1 bytes and always ends with a NUL; returns strlen(src): truncated when >= size. */
size_t strlcpy(char *dst, const char *src, size_t size);

/* %d %i %u %x %X %o %c %s %p %% with flags 0 - # +, width, precision, and h hh l ll z. Returns as C99 says. */
int snprintf(char *dst, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *dst, size_t size, const char *fmt, va_list ap);

/* Decimal number at *s, advanced past it; -EINVAL when there is none or it does not fit. */
int parse_u64(const char **s, uint64_t *value);

#endif
