/* SPDX-License-Identifier: Apache-2.0 */
/* libos/klib/string.c and printf.c under other names, for tests of them and of what calls them. */
#ifndef TESTS_UNIT_LIBOS_CORE_KLIB_H
#define TESTS_UNIT_LIBOS_CORE_KLIB_H

#define memcpy    k_memcpy
#define memmove   k_memmove
#define memset    k_memset
#define memcmp    k_memcmp
#define memchr    k_memchr
#define strlen    k_strlen
#define strnlen   k_strnlen
#define strcmp    k_strcmp
#define strncmp   k_strncmp
#define strchr    k_strchr
#define strrchr   k_strrchr
#define strlcpy   k_strlcpy
#define snprintf  k_snprintf
#define vsnprintf k_vsnprintf
#undef LIBOS_KLIB_STRING_H
#include "libos/klib/string.h"
#include "libos/klib/string.c"
#include "libos/klib/printf.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strlcpy
#undef snprintf
#undef vsnprintf

#endif
