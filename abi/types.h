/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed-width names shared by monitor and libOS. Everything in abi/ is freestanding: it may include
 * <stdint.h> and <stddef.h> and other abi/ headers, nothing else. Structures have fixed offsets, held by
 * _Static_assert; all integers are little-endian (x86-64).
 */
#ifndef ABI_TYPES_H
#define ABI_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* A guest-physical address. On the host side it is a bare integer that cannot be dereferenced: only one file
 * of the monitor (vmm/mem.c) turns it into a pointer. */
typedef uint64_t gpa_t;

#define ABI_ASSERT_OFFSET(type, field, offset)                                                     \
	_Static_assert(offsetof(type, field) == (offset), #type "." #field " moved")
#define ABI_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed size")

#endif
