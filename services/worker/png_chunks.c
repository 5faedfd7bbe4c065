/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/png_chunks.h"

#include <libdeflate.h>
#include <string.h>

#define FRAME_BYTES 12 /* length, type, checksum */
#define ANCILLARY   0x20

static uint32_t number(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is(const uint8_t *chunk, const char *type)
{
	return memcmp(chunk + 4, type, 4) == 0;
}

bool png_chunks_simple(const uint8_t *png, size_t len, size_t *idat)
{
	bool in_data = true;
	size_t sum = 0;

	for (size_t at = 0; len - at >= FRAME_BYTES;) {
		const uint8_t *chunk = png + at;
		uint32_t n = number(chunk);

		if (n > len - at - FRAME_BYTES ||
			libdeflate_crc32(0, chunk + 4, (size_t)n + 4) != number(chunk + 8 + n))
			return false;
		if (is(chunk, "IEND")) {
			*idat = sum;
			return n == 0 && sum > 0;
		}
		if (is(chunk, "IDAT") && !in_data)
			return false;
		in_data = is(chunk, "IDAT");
		if (!in_data && !(chunk[4] & ANCILLARY))
			return false;
		sum += in_data ? n : 0;
		at += FRAME_BYTES + n;
	}
	return false;
}

void png_chunks_copy(const uint8_t *png, uint8_t *out, size_t idat)
{
	while (idat > 0) {
		uint32_t n = number(png);

		memcpy(out, png + 8, n);
		out += n;
		idat -= n;
		png += FRAME_BYTES + n;
	}
}
