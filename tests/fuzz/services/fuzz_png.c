/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures. What is accepted gives a picture that is accepted, and whose inverse is inverted back to it: the same samples, and from the second
 * on, when nothing unusual is left of the file, the same bytes.
 */
#include "services/worker/codec.h"
#include "services/worker/invert.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* Makes the checksums of the chunks right: behind a wrong one nothing is reached. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	size_t at = 8;

	size = LLVMFuzzerMutate(data, size, max);
	while (seed % 16 && at + 12 <= size) {
		size_t len = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 |
			(size_t)data[at + 2] << 8 | data[at + 3];
		uint32_t crc;

		if (len > size - at - 12)
			break;
		crc = (uint32_t)crc32(0, data + at + 4, (uInt)len + 4);
		for (size_t i = 0; i < 4; i++)
			data[at + 8 + len + i] = (uint8_t)(crc >> (24 - 8 * i));
		at += 12 + len;
	}
	return size;
}

static int same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static const struct picture_limits limits = {
	.max_side = 2000, .max_pixels = 100000, .memory_bytes = 4 * MIB};

static void decode(const struct buf *in, struct picture *p)
{
	struct picture_head head;

	if (png_head(in->data, in->len, &head, NULL) < 0 ||
		png_decode(in->data, in->len, &head, limits.memory_bytes, p, NULL) < 0)
		abort();
}

static int same_samples(const struct buf *a, const struct buf *b)
{
	struct picture p, q;
	int same;

	decode(a, &p);
	decode(b, &q);
	same = p.width == q.width && p.height == q.height && p.channels == q.channels &&
		memcmp(p.data, q.data, picture_row_bytes(&p) * p.height) == 0;
	picture_fini(&p);
	picture_fini(&q);
	return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf once = {.max = 1 * MIB}, twice = {.max = 1 * MIB},
				 thrice = {.max = 1 * MIB}, again = {.max = 1 * MIB};
	struct err err = {0};

	if (invert_png(data, size, &limits, &once, &err) < 0) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	if (invert_png(once.data, once.len, &limits, &twice, &err) < 0 ||
		invert_png(twice.data, twice.len, &limits, &thrice, &err) < 0 ||
		invert_png(thrice.data, thrice.len, &limits, &again, &err) < 0)
		abort();
	if (!same_samples(&once, &thrice) || !same(&twice, &again))
		abort();
	return 0;
}
