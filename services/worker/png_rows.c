/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/png_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum filter { FILTER_NONE, FILTER_SUB, FILTER_UP, FILTER_AVERAGE, FILTER_PAETH, FILTERS };

static uint8_t *row_of(const struct png_rows *r, uint32_t y)
{
	return r->data + (r->row_bytes + 1) * y;
}

bool png_rows_valid(const struct png_rows *r)
{
	for (uint32_t y = 0; y < r->height; y++) {
		if (row_of(r, y)[0] >= FILTERS)
			return false;
	}
	return true;
}

/* --- samples out of what the filters left ------------------------------------------------------------------------------- */
static unsigned int distance(int a, int b)
{
	return (unsigned int)(a < b ? b - a : a - b);
}

static uint8_t paeth(int left, int above, int corner)
{
	unsigned int a = distance(above, corner), b = distance(left, corner),
		     c = distance(left + above, 2 * corner);

	if (a <= b && a <= c)
		return (uint8_t)left;
	return (uint8_t)(b <= c ? above : corner);
}

/* above: the row above, zeros for the first one. */
static void unfilter(
	const struct png_rows *r, const uint8_t *row, const uint8_t *above, uint8_t *out)
{
	enum filter filter = (enum filter)row[0];
	size_t n = r->row_bytes, px = r->pixel_bytes < n ? r->pixel_bytes : n;

	row++;
	for (size_t i = 0; i < px; i++)
		out[i] = (uint8_t)(row[i] +
			(filter == FILTER_UP || filter == FILTER_PAETH ? above[i]
					: filter == FILTER_AVERAGE     ? above[i] / 2
								       : 0));
	switch (filter) {
	case FILTER_NONE:
		memcpy(out, row, n);
		break;
	case FILTER_SUB:
		for (size_t i = px; i < n; i++)
			out[i] = (uint8_t)(row[i] + out[i - px]);
		break;
	case FILTER_UP:
		for (size_t i = px; i < n; i++)
			out[i] = (uint8_t)(row[i] + above[i]);
		break;
	case FILTER_AVERAGE:
		for (size_t i = px; i < n; i++)
			out[i] = (uint8_t)(row[i] + (out[i - px] + above[i]) / 2);
		break;
	case FILTER_PAETH:
		for (size_t i = px; i < n; i++)
			out[i] = (uint8_t)(row[i] + paeth(out[i - px], above[i], above[i - px]));
		break;
	case FILTERS:
		break;
	}
}

/* --- inversion -------------------------------------------------------------------------------------------------------- */
static void turn(const struct png_rows *r, uint8_t *row, bool first)
{
	enum filter filter = (enum filter)row[0];
	size_t n = r->row_bytes, alone = 0; /* bytes without a neighbour */

	if (filter == FILTER_NONE || (first && filter == FILTER_UP))
		alone = n;
	else if (filter == FILTER_SUB || (first && filter == FILTER_PAETH))
		alone = r->pixel_bytes < n ? r->pixel_bytes : n;
	row++;
	r->kernels->mask(row, alone, r->mask);
	r->kernels->negate(row + alone, n - alone, r->mask);
}

/* own, above: the samples; above is NULL for the first row. */
static void average(
	const struct png_rows *r, uint8_t *row, const uint8_t *own, const uint8_t *above)
{
	row++;
	for (size_t i = 0; i < r->row_bytes; i++) {
		uint8_t m = r->mask[i % KERNEL_MASK_BYTES];
		unsigned int left = i < r->pixel_bytes ? 0 : own[i - r->pixel_bytes] ^ m,
			     up = above ? above[i] ^ m : 0;

		row[i] = (uint8_t)((own[i] ^ m) - (left + up) / 2);
	}
}

static bool stands_alone(const struct png_rows *r, uint32_t y)
{
	uint8_t filter = row_of(r, y)[0];

	return filter == FILTER_NONE || filter == FILTER_SUB;
}

/*
 * The rows from begin on up to the next one that does not depend on the row above it. Samples are needed up to the last Average among
 * them. buf: two rows of zeros at the first call.
 */
static uint32_t invert_chain(const struct png_rows *r, uint32_t begin, uint8_t *buf)
{
	uint8_t *own = buf, *above = buf + r->row_bytes;
	uint32_t end = begin, samples = begin;

	do {
		if (row_of(r, end)[0] == FILTER_AVERAGE)
			samples = end + 1;
	} while (++end < r->height && !stands_alone(r, end));
	for (uint32_t y = begin; y < end; y++) {
		uint8_t *row = row_of(r, y), *done = own;

		if (y < samples)
			unfilter(r, row, above, own);
		if (row[0] == FILTER_AVERAGE)
			average(r, row, own, y ? above : NULL);
		else
			turn(r, row, y == 0);
		own = above;
		above = done;
	}
	return end;
}

int png_rows_invert(const struct png_rows *r)
{
	uint8_t *buf = calloc(2, r->row_bytes);

	if (!buf)
		return -ENOMEM;
	for (uint32_t y = 0; y < r->height;)
		y = invert_chain(r, y, buf);
	free(buf);
	return 0;
}
