/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base64.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_add(struct buf *out, const void *data, size_t len)
{
	const uint8_t *p = data;
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			(n > 2 ? p[i + 2] : 0u);
		char four[4] = {letters[v >> 18], letters[v >> 12 & 63],
			n > 1 ? letters[v >> 6 & 63] : '=', n > 2 ? letters[v & 63] : '='};

		r = buf_add(out, four, sizeof(four));
	}
	return r;
}

int base64_decode(const char *text, size_t len, void *data, size_t size)
{
	uint8_t *p = data;
	uint32_t bits = 0;
	size_t pad = 0, done = 0;
	unsigned int have = 0;

	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (len % 4 || len > INT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len - pad; i++) {
		const char *at = text[i] ? strchr(letters, text[i]) : NULL;

		if (!at)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(at - letters);
		have += 6;
		if (have < 8)
			continue;
		if (done == size)
			return -EMSGSIZE;
		have -= 8;
		p[done++] = (uint8_t)(bits >> have);
	}
	return bits & ((1u << have) - 1) ? -EINVAL : (int)done;
}
