/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler and platform of lwIP: x86-64, no libc. Types come from lwIP's arch.h by <stdint.h>. */
#ifndef LIBOS_NET_PORT_ARCH_CC_H
#define LIBOS_NET_PORT_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H   1
#define LWIP_NO_UNISTD_H   1
#define LWIP_NO_CTYPE_H    1
#ifndef INT_MAX
#define INT_MAX __INT_MAX__
#endif

#ifndef BYTE_ORDER
#define BYTE_ORDER LITTLE_ENDIAN
#endif

#define X8_F  "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS
#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_ntohs(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)
#define lwip_ntohl(x) __builtin_bswap32(x)

_Noreturn void panic(const char *fmt, ...);
#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) panic("lwip: %s (%s:%d)", x, __FILE__, __LINE__)

void *kmalloc(size_t bytes);
void *net_calloc(size_t n, size_t bytes);
void kfree(void *p);
#define mem_clib_malloc kmalloc
#define mem_clib_calloc net_calloc
#define mem_clib_free   kfree

uint32_t net_rand32(void);
#define LWIP_RAND() net_rand32()

uint16_t net_chksum(const void *data, int len);

#endif
