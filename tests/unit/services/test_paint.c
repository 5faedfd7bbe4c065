/* SPDX-License-Identifier: Apache-2.0 */
/* Operations against plain definitions of them, both formats in and out, limits; tests/app compares with ImageMagick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/worker/codec.h"
#include "services/worker/exif.h"
#include "services/worker/ops.h"
#include "services/worker/paint.h"

#include <errno.h>
#include <stdlib.h>

static const struct picture_limits limits = {
	.max_side = 5000, .max_pixels = 1000000, .memory_bytes = 16 * MIB};

static struct picture noise(uint32_t width, uint32_t height, unsigned int channels)
{
	uint64_t seed = width * 1000 + channels;
	struct picture p;

	assert_int_equal(picture_make(&p, width, height, channels, NULL), 0);
	for (size_t i = 0; i < picture_row_bytes(&p) * height; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		p.data[i] = (uint8_t)(seed >> 56);
	}
	return p;
}

static struct picture plain(uint32_t width, uint32_t height, unsigned int channels, int value)
{
	struct picture p;

	assert_int_equal(picture_make(&p, width, height, channels, NULL), 0);
	memset(p.data, value, picture_row_bytes(&p) * height);
	return p;
}

static int at(const struct picture *p, int x, int y)
{
	x = x < 0 ? 0 : (x >= (int)p->width ? (int)p->width - 1 : x);
	y = y < 0 ? 0 : (y >= (int)p->height ? (int)p->height - 1 : y);
	return p->data[y * (int)p->width + x];
}

static void test_edges(void **state)
{
	for (uint32_t w = 1; w < 40; w += 3) {
		struct picture p = noise(w, 1 + w % 7, 1), was = noise(w, 1 + w % 7, 1);

		assert_int_equal(op_edges(&p, kernels_best(), NULL), 0);
		for (int y = 0; y < (int)p.height; y++) {
			for (int x = 0; x < (int)w; x++) {
				int gx = 0, gy = 0, sum;

				for (int d = -1; d <= 1; d++) {
					gx += (at(&was, x + 1, y + d) - at(&was, x - 1, y + d)) *
						(2 - abs(d));
					gy += (at(&was, x + d, y + 1) - at(&was, x + d, y - 1)) *
						(2 - abs(d));
				}
				sum = abs(gx) + abs(gy);
				assert_int_equal(at(&p, x, y), sum > 255 ? 255 : sum);
			}
		}
		picture_fini(&p);
		picture_fini(&was);
	}
}

/* What has one colour keeps it exactly, edges included, whatever the filter. */
static void test_flat(void **state)
{
	for (unsigned int channels = 1; channels <= 4; channels++) {
		for (int value = 0; value < 256; value += 51) {
			struct picture p = plain(37, 23, channels, value);

			assert_int_equal(op_blur(&p, 30, kernels_best(), NULL), 0);
			assert_int_equal(op_resize(&p, 200, 3, kernels_best(), NULL), 0);
			assert_int_equal(p.width, 200);
			assert_int_equal(p.height, 3);
			assert_int_equal(op_resize(&p, 1, 1, kernels_best(), NULL), 0);
			for (unsigned int c = 0; c < channels; c++)
				assert_int_equal(p.data[c], value);
			picture_fini(&p);
		}
	}
}

/* Very much smaller: still the mean. */
static void test_shrink(void **state)
{
	struct picture p = plain(4000, 200, 3, 0);

	for (size_t i = 0; i < 4000 * 200 * 3; i += 6) /* every other pixel is white */
		memset(p.data + i, 255, 3);
	assert_int_equal(op_resize(&p, 10, 7, kernels_best(), NULL), 0);
	for (size_t i = 0; i < 10 * 7 * 3; i++)
		assert_in_range(p.data[i], 126, 129);
	picture_fini(&p);
}

/* A point spreads evenly to all sides, and no light is lost but by rounding. */
static void test_blur(void **state)
{
	struct picture p = plain(41, 41, 1, 0);
	int sum = 0;

	p.data[20 * 41 + 20] = 255;
	assert_int_equal(op_blur(&p, 4, kernels_best(), NULL), 0);
	for (int i = 0; i < 41; i++) {
		for (int k = 0; k < 41; k++) {
			assert_int_equal(at(&p, i, k), at(&p, k, i));
			assert_int_equal(at(&p, i, k), at(&p, 40 - i, k));
			sum += at(&p, i, k);
		}
	}
	assert_in_range(sum, 215, 275);
	assert_in_range(at(&p, 20, 20), 9, 11); /* 255 / (2 pi sigma^2), sigma 2: 10.1 */
	picture_fini(&p);
}

/* The colour of what is not seen does not bleed into what is. */
static void test_alpha(void **state)
{
	struct picture p = plain(16, 16, 4, 0), back;
	struct picture_params params = {0};
	_cleanup_buf_ struct buf in = {0}, out = {0};
	enum picture_format format;
	struct picture_head head;

	for (size_t i = 0; i < 16 * 16; i++) {
		p.data[4 * i] = 255; /* red; in the left half green that is transparent */
		p.data[4 * i + 3] = 255;
		if (i % 16 < 8)
			memcpy(p.data + 4 * i, (uint8_t[]){0, 255, 0, 0}, 4);
	}
	assert_int_equal(png_encode(&p, &in, NULL), 0);
	assert_int_equal(picture_params_parse("op=blur", &params, NULL), 0);
	assert_int_equal(paint_picture(in.data, in.len, &params, &limits, &out, &format, NULL), 0);
	assert_int_equal(format, FORMAT_PNG);
	assert_int_equal(png_head(out.data, out.len, &head, NULL), 0);
	assert_int_equal(png_decode(out.data, out.len, &head, 0, &back, NULL), 0);
	for (size_t i = 0; i < 16 * 16; i++) {
		if (back.data[4 * i + 3] > 0)
			assert_int_equal(back.data[4 * i + 1], 0);
	}
	picture_fini(&p);
	picture_fini(&back);
}

static void encode(const struct picture *p, enum picture_format format, struct buf *out)
{
	struct picture copy;

	if (format == FORMAT_PNG) {
		assert_int_equal(png_encode(p, out, NULL), 0);
		return;
	}
	assert_int_equal(picture_make(&copy, p->width, p->height, p->channels, NULL), 0);
	memcpy(copy.data, p->data, picture_row_bytes(p) * p->height);
	assert_int_equal(jpeg_encode(&copy, 90, out, NULL), 0);
	picture_fini(&copy);
}

/* Every operation, every kind of picture, both formats in and out: the size and the kind that were asked for. */
static void test_all(void **state)
{
	static const char *const texts[] = {"", "op=grayscale", "op=resize&width=20",
		"op=resize&height=90", "op=resize&width=7&height=80", "op=blur", "op=edges",
		"op=thumbnail&size=16", "op=thumbnail&size=1000"};
	static const char *const formats[] = {"", "format=png", "format=jpeg&quality=50"};

	for (size_t n = 0; n < ARRAY_SIZE(texts) * ARRAY_SIZE(formats) * 8; n++) {
		enum picture_format from = n % 2 ? FORMAT_PNG : FORMAT_JPEG, to, want;
		struct picture p = noise(67, 45, 1 + n / 2 % 4);
		const char *text = texts[n / 8 % ARRAY_SIZE(texts)],
			   *end = formats[n / 8 / ARRAY_SIZE(texts)];
		_cleanup_buf_ struct buf in = {0}, out = {0};
		struct picture_params params;
		struct picture_head head;
		char both[80];
		struct err err = {0};
		uint32_t w, h;
		int r;

		snprintf(both, sizeof(both), "%s%s%s", text, *text && *end ? "&" : "", end);
		assert_int_equal(picture_params_parse(both, &params, &err), 0);
		encode(&p, from, &in);
		r = paint_picture(in.data, in.len, &params, &limits, &out, &to, &err);
		if (r < 0)
			fail_msg("%s, %u channels: %s", both, p.channels, err.msg);
		want = params.format == FORMAT_SAME ? from : params.format;
		assert_int_equal(to, want);
		assert_int_equal(picture_sniff(out.data, out.len), want);
		picture_target(&params, 67, 45, &w, &h);
		r = want == FORMAT_PNG ? png_head(out.data, out.len, &head, &err)
				       : jpeg_head(out.data, out.len, &head, &err);
		assert_int_equal(r, 0);
		assert_int_equal(head.width, w);
		assert_int_equal(head.height, h);
		picture_fini(&p);
	}
}

static void test_turned(void **state)
{
	/* Where the corner that is shown first (top left), and the one right of it, lie: bottom, right. */
	static const int first[9][4] = {[1] = {0, 0, 0, 1},
		[2] = {0, 1, 0, 0},
		[3] = {1, 1, 1, 0},
		[4] = {1, 0, 1, 1},
		[5] = {0, 0, 1, 0},
		[6] = {1, 0, 0, 0},
		[7] = {1, 1, 0, 1},
		[8] = {0, 1, 1, 1}};
	static const char *const texts[] = {"op=blur&radius=1", "op=resize&width=64", "op=edges"};

	for (unsigned int turn = 1; turn <= 8; turn++) {
		struct picture p = plain(32, 16, 1, 0), got;
		_cleanup_buf_ struct buf in = {0}, png = {0};
		struct picture_params params;
		struct picture_head head;
		enum picture_format to;
		bool exchange = turn >= 5;

		for (int i = 0; i < 32 * 16; i++) /* four corners: 50, 100, 150, 200 */
			p.data[i] = (uint8_t)(50 + (i / 32 / 8 * 2 + i % 32 / 16) * 50);
		p.turn = turn;
		assert_int_equal(jpeg_encode(&p, 95, &in, NULL), 0);
		assert_int_equal(jpeg_head(in.data, in.len, &head, NULL), 0);
		assert_int_equal(head.turn, turn);
		assert_int_equal(head.width, exchange ? 16 : 32);
		assert_int_equal(picture_params_parse("op=grayscale&format=png", &params, NULL), 0);
		assert_int_equal(
			paint_picture(in.data, in.len, &params, &limits, &png, &to, NULL), 0);
		assert_int_equal(png_head(png.data, png.len, &head, NULL), 0);
		assert_int_equal(png_decode(png.data, png.len, &head, MIB, &got, NULL), 0);
		assert_int_equal(got.width, exchange ? 16 : 32);
		for (int i = 0; i < 2; i++)
			assert_in_range(at(&got, i * (int)(got.width - 1), 0),
				50 + (first[turn][2 * i] * 2 + first[turn][2 * i + 1]) * 50 - 4,
				50 + (first[turn][2 * i] * 2 + first[turn][2 * i + 1]) * 50 + 4);
		picture_fini(&got);
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			_cleanup_buf_ struct buf out = {0};

			assert_int_equal(picture_params_parse(texts[i], &params, NULL), 0);
			assert_int_equal(
				paint_picture(in.data, in.len, &params, &limits, &out, &to, NULL),
				0);
			assert_int_equal(jpeg_head(out.data, out.len, &head, NULL), 0);
			assert_int_equal(head.turn, turn);
			assert_int_equal(head.width, i == 1 ? 64 : exchange ? 16 : 32);
			assert_int_equal(head.height,
				i == 1             ? (exchange ? 128 : 32)
					: exchange ? 32
						   : 16);
		}
		/* Each byte of the segment changed: never more than another orientation. */
		for (size_t i = 20; i < 20 + EXIF_TURN_BYTES; i++) {
			uint8_t was = (uint8_t)in.data[i];

			for (int v = 0; v < 256; v += 5) {
				in.data[i] = (char)v;
				assert_in_range(exif_turn((uint8_t *)in.data, in.len), 1, 8);
				assert_int_equal(exif_turn((uint8_t *)in.data, i), 1);
			}
			in.data[i] = (char)was;
		}
		picture_fini(&p);
	}
}

/* Cut off anywhere, it is an error with a sentence, never a picture. */
static void test_cut(void **state)
{
	struct picture p = noise(33, 21, 3);
	struct picture_params params = {.op = OP_GRAYSCALE, .quality = 85};

	for (int format = FORMAT_PNG; format <= FORMAT_JPEG; format++) {
		_cleanup_buf_ struct buf in = {0};

		encode(&p, (enum picture_format)format, &in);
		/* A JPEG is whole without its last marker. */
		for (size_t len = 0; len + 2 < in.len; len++) {
			_cleanup_buf_ struct buf out = {0};
			_cleanup_free_ char *cut = malloc(len + 1);
			enum picture_format to;
			struct err err = {0};
			int r;

			memcpy(cut, in.data, len);
			r = paint_picture(cut, len, &params, &limits, &out, &to, &err);
			if (r != -EBADMSG || !err.msg[0])
				fail_msg("%zu of %zu bytes of format %d: %d", len, in.len, format,
					r);
		}
	}
	picture_fini(&p);
}

static int refused(const struct buf *in, const char *text, struct picture_limits l, const char *why)
{
	_cleanup_buf_ struct buf out = {0};
	struct picture_params params;
	enum picture_format to;
	struct err err = {0};
	int r;

	assert_int_equal(picture_params_parse(text, &params, NULL), 0);
	r = paint_picture(in->data, in->len, &params, &l, &out, &to, &err);
	if (r < 0 && why && !strstr(err.msg, why))
		fail_msg("%s: %s", text, err.msg);
	return r;
}

static void test_limits(void **state)
{
	_cleanup_buf_ struct buf jpeg = {0}, small = {.max = 100};
	struct picture p = noise(1200, 800, 3);
	struct picture_limits l = limits;
	struct picture_params params = {0};
	enum picture_format to;

	encode(&p, FORMAT_JPEG, &jpeg);
	assert_int_equal(refused(&jpeg, "op=blur", l, NULL), 0);
	l.memory_bytes = 3 * MIB;
	assert_int_equal(refused(&jpeg, "op=blur", l, "MiB of memory"), -EFBIG);
	/* The same picture becomes a thumbnail: it is decoded small. */
	assert_int_equal(refused(&jpeg, "op=thumbnail", l, NULL), 0);
	l = limits;
	l.max_side = 1199;
	assert_int_equal(refused(&jpeg, "", l, "1200x800"), -EFBIG);
	l = limits;
	l.max_pixels = 1200 * 800 - 1;
	assert_int_equal(refused(&jpeg, "", l, "too many pixels"), -EFBIG);
	assert_int_equal(refused(&jpeg, "op=resize&width=4000", limits, "result"), -EFBIG);
	params.quality = 85;
	assert_int_equal(
		paint_picture(jpeg.data, jpeg.len, &params, &limits, &small, &to, NULL), -EMSGSIZE);
	picture_fini(&p);
}

static void test_wrong_type(void **state)
{
	const struct buf gif = {.data = (char[]){"GIF89a and so on"}, .len = 16}, none = {0};

	assert_int_equal(refused(&gif, "", limits, "neither a PNG nor a JPEG"), -EBADMSG);
	assert_int_equal(refused(&none, "", limits, "neither"), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_blur),
		cmocka_unit_test(test_alpha),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_turned),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_wrong_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
