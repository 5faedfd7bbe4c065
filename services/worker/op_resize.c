/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns first, then rows: each row of the result is a sum of rows (which runs in parallel), and only that one is then taken to its
 * width. A picture that shrinks very much is averaged in whole blocks first: weights of 14 bits cannot tell thousands of
 * pixels apart.
 */
#include "services/worker/ops.h"

#include "lib/util.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_MAX 32 /* above, blocks are averaged first */
#define TAPS_MAX  (2 * SCALE_MAX + 4)

/* The pixels that one of the result is made of. */
struct window {
	uint32_t from, taps;
	int16_t weight[TAPS_MAX];
};

static void make_window(struct window *w, uint32_t at, uint32_t in, uint32_t out)
{
	double scale = (double)in / out, reach = scale > 1 ? scale : 1, center = (at + 0.5) * scale,
	       real[TAPS_MAX];
	int64_t from = (int64_t)(center - reach), to = (int64_t)(center + reach) + 1;

	from = from < 0 ? 0 : from;
	to = to > in ? in : to;
	w->from = (uint32_t)from;
	w->taps = (uint32_t)(to - from);
	for (uint32_t i = 0; i < w->taps; i++) {
		double x = ((double)(from + i) + 0.5 - center) / reach;

		real[i] = x <= -1 || x >= 1 ? 0 : 1 - (x < 0 ? -x : x);
	}
	op_weights(real, w->taps, w->weight);
}

static uint8_t mean(uint64_t sum, uint64_t count)
{
	if (!count)
		return 0;
	/* The analyzer takes the picture's bytes for unset. NOLINTNEXTLINE(clang-analyzer-core.*) */
	return (uint8_t)((sum + count / 2) / count);
}

/* Averages blocks of fx x fy pixels, in place; what does not fill a block at the right and below counts for its share. */
static void average(struct picture *p, uint32_t fx, uint32_t fy)
{
	uint32_t width = (p->width + fx - 1) / fx, height = (p->height + fy - 1) / fy;
	size_t row = picture_row_bytes(p);
	unsigned int n = p->channels;
	uint8_t *to = p->data;

	assert(n >= 1 && n <= 4);
	for (uint32_t y = 0; y < height; y++) {
		uint32_t rows = p->height - y * fy < fy ? p->height - y * fy : fy;

		for (uint32_t x = 0; x < width; x++) {
			uint32_t columns = p->width - x * fx < fx ? p->width - x * fx : fx;
			uint64_t sum[4] = {0}, count = (uint64_t)rows * columns;

			for (uint32_t i = 0; i < rows; i++) {
				const uint8_t *from =
					p->data + row * (y * fy + i) + (size_t)x * fx * n;

				for (uint32_t k = 0; k < columns * n; k++)
					sum[k % n] += from[k];
			}
			for (unsigned int c = 0; c < n; c++)
				*to++ = mean(sum[c], count);
		}
	}
	p->width = width;
	p->height = height;
}

static void take_width(
	uint8_t *to, const uint8_t *from, const struct window *w, uint32_t width, unsigned int n)
{
	for (uint32_t x = 0; x < width; x++, w++) {
		const uint8_t *in = from + (size_t)w->from * n;
		int sum[4] = {1 << (WEIGHT_BITS - 1), 1 << (WEIGHT_BITS - 1),
			1 << (WEIGHT_BITS - 1), 1 << (WEIGHT_BITS - 1)};

		for (uint32_t k = 0; k < w->taps; k++) {
			for (unsigned int c = 0; c < n; c++)
				sum[c] += *in++ * w->weight[k];
		}
		for (unsigned int c = 0; c < n; c++)
			*to++ = (uint8_t)(sum[c] >> WEIGHT_BITS);
	}
}

static void scale(const struct picture *p, struct picture *out, const struct kernels *k,
	struct window *columns, uint8_t *row)
{
	const uint8_t *src[TAPS_MAX];
	struct window rows;

	for (uint32_t x = 0; x < out->width; x++)
		make_window(&columns[x], x, p->width, out->width);
	for (uint32_t y = 0; y < out->height; y++) {
		make_window(&rows, y, p->height, out->height);
		for (uint32_t i = 0; i < rows.taps; i++)
			src[i] = p->data + picture_row_bytes(p) * (rows.from + i);
		k->weigh(row, src, rows.weight, rows.taps, picture_row_bytes(p));
		take_width(out->data + picture_row_bytes(out) * y, row, columns, out->width,
			p->channels);
	}
}

int op_resize(struct picture *p, uint32_t width, uint32_t height, const struct kernels *k,
	struct err *err)
{
	_cleanup_free_ struct window *columns = NULL;
	_cleanup_free_ uint8_t *row = NULL;
	uint32_t fx = p->width / width / (SCALE_MAX / 2), fy = p->height / height / (SCALE_MAX / 2);
	struct picture out;
	int r;

	if (p->width == width && p->height == height)
		return 0;
	if (fx > 1 || fy > 1)
		average(p, fx > 1 ? fx : 1, fy > 1 ? fy : 1);
	columns = malloc(width * sizeof(*columns));
	row = malloc(picture_row_bytes(p));
	if (!columns || !row)
		return err_set(err, ENOMEM, "out of memory");
	r = picture_make(&out, width, height, p->channels, err);
	if (r < 0)
		return r;
	scale(p, &out, k, columns, row);
	picture_fini(p);
	*p = out;
	return 0;
}
