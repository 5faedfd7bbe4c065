/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNGs of each type, depth and filter, and of all filters by turns, as libpng writes them: the inverse that is made of the filtered rows has
 * the samples that libpng sees, inverted. And what is not simple enough for that goes the other way to the same result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/worker/invert.h"
#include "services/worker/png_chunks.h"
#include "services/worker/png_io.h"
#include "services/worker/png_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define W        67
#define H        41
#define ROW_MAX  (W * 8)
#define ADAPTIVE (PNG_FILTER_PAETH << 1)

static const struct picture_limits limits = {
	.max_side = 2000, .max_pixels = 1000000, .memory_bytes = 16 * MIB};

static const struct kind {
	int color, depth;
	size_t colors, pixel; /* bytes of colour, of all, in a pixel; 0: all bytes are colour */
} kinds[] = {{PNG_COLOR_TYPE_GRAY, 1, 0, 0}, {PNG_COLOR_TYPE_GRAY, 2, 0, 0},
	{PNG_COLOR_TYPE_GRAY, 4, 0, 0}, {PNG_COLOR_TYPE_GRAY, 8, 0, 0},
	{PNG_COLOR_TYPE_GRAY, 16, 0, 0}, {PNG_COLOR_TYPE_RGB, 8, 0, 0},
	{PNG_COLOR_TYPE_RGB, 16, 0, 0}, {PNG_COLOR_TYPE_GRAY_ALPHA, 8, 1, 2},
	{PNG_COLOR_TYPE_GRAY_ALPHA, 16, 2, 4}, {PNG_COLOR_TYPE_RGB_ALPHA, 8, 3, 4},
	{PNG_COLOR_TYPE_RGB_ALPHA, 16, 6, 8}};

static void encode(const struct kind *k, int filters, bool noise, struct buf *out)
{
	static uint8_t row[ROW_MAX];
	struct png_io io;
	static uint64_t seed = 1;

	assert_int_equal(png_io_writer(&io, out, NULL), 0);
	assert_int_equal(setjmp(png_jmpbuf(io.png)), 0);
	png_set_IHDR(io.png, io.info, W, H, k->depth, k->color, PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_filter(io.png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
	png_write_info(io.png, io.info);
	for (unsigned int y = 0; y < H; y++) {
		int one = PNG_FILTER_NONE << (y * 7 / 3 % 5);

		for (size_t i = 0; i < sizeof(row); i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			row[i] = (uint8_t)(noise ? seed >> 56 : i * 3 + y * 5 + (seed >> 62));
		}
		png_set_filter(io.png, PNG_FILTER_TYPE_BASE, filters == ADAPTIVE ? one : filters);
		png_write_row(io.png, row);
	}
	png_write_end(io.png, NULL);
	assert_int_equal(png_io_end(&io, NULL), 0);
}

static size_t decode(const struct buf *in, uint8_t rows[H][ROW_MAX])
{
	struct png_io io;
	size_t len;

	assert_int_equal(png_io_reader(&io, in->data, in->len, 16 * MIB, NULL), 0);
	assert_int_equal(setjmp(png_jmpbuf(io.png)), 0);
	png_read_info(io.png, io.info);
	len = png_get_rowbytes(io.png, io.info);
	for (unsigned int y = 0; y < H; y++)
		png_read_row(io.png, rows[y], NULL);
	png_read_end(io.png, NULL);
	assert_int_equal(png_io_end(&io, NULL), 0);
	return len;
}

static void inverse(const struct kind *k, const struct buf *in, const struct buf *out)
{
	static uint8_t from[H][ROW_MAX], to[H][ROW_MAX];
	size_t len = decode(in, from);

	assert_int_equal(decode(out, to), len);
	/* Bits behind the last pixel of a row are nobody's. */
	for (unsigned int y = 0; y < H; y++) {
		for (size_t i = 0; i + (k->depth < 8) < len; i++) {
			bool stays = k->pixel && i % k->pixel >= k->colors;

			if (to[y][i] != (stays ? from[y][i] : (uint8_t)~from[y][i]))
				fail_msg("color %d depth %d: row %u, byte %zu", k->color, k->depth,
					y, i);
		}
	}
}

static void test_types_and_filters(void **state)
{
	static const int filters[] = {PNG_FILTER_NONE, PNG_FILTER_SUB, PNG_FILTER_UP,
		PNG_FILTER_AVG, PNG_FILTER_PAETH, ADAPTIVE};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (size_t f = 0; f < ARRAY_SIZE(filters) * 2; f++) {
			_cleanup_buf_ struct buf in = {0}, out = {0};

			encode(&kinds[k], filters[f / 2], f % 2, &in);
			assert_int_equal(invert_png(in.data, in.len, &limits, &out, NULL), 0);
			inverse(&kinds[k], &in, &out);
		}
	}
}

/* Where it begins: behind signature, IHDR and what encode() writes besides (nothing). */
#define DATA_AT (8 + 25)

static void sum(uint8_t *chunk, size_t n)
{
	uint32_t crc = (uint32_t)crc32(0, chunk + 4, (uInt)n + 4);

	for (size_t i = 0; i < 4; i++)
		chunk[8 + n + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* A chunk of no bytes in front of IEND. */
static void insert(struct buf *png, const char *type)
{
	uint8_t chunk[12] = {0};

	memcpy(chunk + 4, type, 4);
	sum(chunk, 0);
	assert_int_equal(buf_add(png, chunk, sizeof(chunk)), 0);
	memmove(png->data + png->len - 12, png->data + png->len - 24, 12);
	memcpy(png->data + png->len - 24, chunk, sizeof(chunk));
}

static bool simple(const struct buf *png, size_t len)
{
	uint8_t *own =
		malloc(len - DATA_AT + 1); /* its own size, so that reading beyond it is seen */
	size_t idat;
	bool r;

	memcpy(own, png->data + DATA_AT, len - DATA_AT);
	r = png_chunks_simple(own, len - DATA_AT, &idat);
	free(own);
	return r;
}

static void test_chunks(void **state)
{
	const struct kind *rgb = &kinds[5];
	static const char *const others[] = {"tEXt", "IDAT", "PLTE", "ABCD"};
	_cleanup_buf_ struct buf in = {0};

	encode(rgb, ADAPTIVE, true, &in);
	assert_true(simple(&in, in.len));
	for (size_t len = DATA_AT; len < in.len; len++)
		assert_false(simple(&in, len));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_buf_ struct buf other = {0};

		buf_add(&other, in.data, in.len);
		insert(&other, others[i]);
		assert_int_equal(simple(&other, other.len), i < 2);
	}
	insert(&in, "tEXt");
	insert(&in, "IDAT");
	assert_false(simple(&in, in.len));
	in.data[DATA_AT + 20] ^= 1;
	assert_false(simple(&in, in.len));
}

/* What comes behind the last row is no harm to libpng: so it is none here. */
static void test_unusual(void **state)
{
	const struct kind *rgb = &kinds[5];
	_cleanup_buf_ struct buf in = {0}, out = {0}, more = {0}, got = {0};
	static uint8_t raw[(W * 3 + 1) * H + 9], packed[sizeof(raw) * 2];
	uLongf len = sizeof(packed);
	uint8_t head[8] = {0, 0, 0, 0, 'I', 'D', 'A', 'T'}, crc[4] = {0};

	encode(rgb, PNG_FILTER_NONE, false, &in);
	assert_int_equal(compress(packed, &len, raw, sizeof(raw)), Z_OK);
	for (size_t i = 0; i < 4; i++)
		head[i] = (uint8_t)(len >> (24 - 8 * i));
	buf_add(&more, in.data, DATA_AT);
	buf_add(&more, head, sizeof(head));
	buf_add(&more, packed, len);
	buf_add(&more, crc, sizeof(crc));
	sum((uint8_t *)more.data + DATA_AT, len);
	buf_add(&more, in.data + in.len - 12, 12);
	assert_int_equal(invert_png(more.data, more.len, &limits, &got, NULL), 0);
	inverse(rgb, &more, &got);
	/* A filter that there is not: libpng's sentence. */
	more.len = DATA_AT;
	raw[0] = 9;
	len = sizeof(packed);
	assert_int_equal(compress(packed, &len, raw, sizeof(raw) - 9), Z_OK);
	for (size_t i = 0; i < 4; i++)
		head[i] = (uint8_t)(len >> (24 - 8 * i));
	buf_add(&more, head, sizeof(head));
	buf_add(&more, packed, len);
	buf_add(&more, crc, sizeof(crc));
	sum((uint8_t *)more.data + DATA_AT, len);
	buf_add(&more, in.data + in.len - 12, 12);
	assert_int_equal(invert_png(more.data, more.len, &limits, &out, NULL), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_and_filters),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_unusual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
