/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes are fetched for many ids at a time: an id costs no system call of its own. */
#include "daemon/id.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define UUID_BYTES  16
#define STOCK_BYTES 256 /* what getrandom(2) gives at once, uninterrupted */

static void random_bytes(uint8_t *out)
{
	static uint8_t stock[STOCK_BYTES];
	static size_t left;

	if (left < UUID_BYTES) {
		if (getrandom(stock, sizeof(stock), 0) != (ssize_t)sizeof(stock))
			abort();
		left = sizeof(stock);
	}
	left -= UUID_BYTES;
	memcpy(out, stock + left, UUID_BYTES);
}

void id_new(char text[ID_TEXT_BYTES])
{
	uint8_t b[UUID_BYTES];

	random_bytes(b);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(text, ID_TEXT_BYTES,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}
