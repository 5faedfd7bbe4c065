/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's <stdlib.h>: only netif_find() wants anything of it, and nobody calls that. */
#ifndef LIBOS_NET_PORT_LIBC_STDLIB_H
#define LIBOS_NET_PORT_LIBC_STDLIB_H

#include <stddef.h>

static inline int atoi(const char *s)
{
	int n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (*s - '0');
	return n;
}

#endif
