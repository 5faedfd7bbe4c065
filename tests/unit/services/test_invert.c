/* SPDX-License-Identifier: Apache-2.0 */
/* tests/app compares with ImageMagick; here: what libpng's own simplified reader sees, limits, and the thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/worker/invert.h"
#include "services/worker/painter.h"

#include <errno.h>
#include <png.h>

#define W 5
#define H 3

static const struct picture_limits limits = {
	.max_side = 100, .max_pixels = 1000, .memory_bytes = 4 * MIB};

static void encode(png_uint_32 format, const void *pixels, struct buf *out)
{
	png_image image = {.version = PNG_IMAGE_VERSION, .width = W, .height = H, .format = format};
	png_alloc_size_t len = 0;

	assert_true(png_image_write_to_memory(&image, NULL, &len, 0, pixels, 0, NULL));
	out->data = malloc(len);
	assert_true(png_image_write_to_memory(&image, out->data, &len, 0, pixels, 0, NULL));
	out->len = len;
}

static void decode(const struct buf *in, png_uint_32 format, void *pixels)
{
	png_image image = {.version = PNG_IMAGE_VERSION};

	assert_true(png_image_begin_read_from_memory(&image, in->data, in->len));
	image.format = format;
	assert_int_equal(image.width, W);
	assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
}

static void test_alpha_stays(void **state)
{
	_cleanup_buf_ struct buf in = {0}, out = {0}, twice = {0};
	unsigned char pixels[W * H * 4], got[W * H * 4];

	for (size_t i = 0; i < sizeof(pixels); i++)
		pixels[i] = (unsigned char)(i * 37 + 11);
	encode(PNG_FORMAT_RGBA, pixels, &in);
	assert_int_equal(invert_png(in.data, in.len, &limits, &out, NULL), 0);
	decode(&out, PNG_FORMAT_RGBA, got);
	for (size_t i = 0; i < sizeof(pixels); i++)
		assert_int_equal(got[i], i % 4 == 3 ? pixels[i] : 255 - pixels[i]);
	assert_int_equal(invert_png(out.data, out.len, &limits, &twice, NULL), 0);
	decode(&twice, PNG_FORMAT_RGBA, got);
	assert_memory_equal(got, pixels, sizeof(pixels));
}

static void test_broken(void **state)
{
	_cleanup_buf_ struct buf in = {0};
	unsigned char pixels[W * H * 3] = {1, 2, 3};
	struct err err;

	encode(PNG_FORMAT_RGB, pixels, &in);
	for (size_t len = 0; len < in.len; len++) {
		_cleanup_buf_ struct buf out = {0};
		char *cut = malloc(len + 1); /* its own size, so that reading beyond it is seen */

		memcpy(cut, in.data, len);
		if (invert_png(cut, len, &limits, &out, &err) != -EBADMSG)
			fail_msg("%zu of %zu bytes were accepted", len, in.len);
		assert_true(err.msg[0] != '\0');
		free(cut);
	}
}

static void test_limits(void **state)
{
	_cleanup_buf_ struct buf in = {0};
	static const struct picture_limits small[] = {
		{.max_side = W - 1, .max_pixels = 1000, .memory_bytes = 4 * MIB},
		{.max_side = 100, .max_pixels = W * H - 1, .memory_bytes = 4 * MIB},
	};
	unsigned char pixels[W * H * 3] = {0};
	struct err err;

	encode(PNG_FORMAT_RGB, pixels, &in);
	for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
		_cleanup_buf_ struct buf out = {0};

		assert_int_equal(invert_png(in.data, in.len, &small[i], &out, &err), -EFBIG);
	}
	{
		_cleanup_buf_ struct buf out = {.max = 50};

		assert_int_equal(invert_png(in.data, in.len, &limits, &out, &err), -EMSGSIZE);
	}
}

static int done_count;

static void on_done(struct paint_job *job)
{
	struct paint_job **expected = job->arg;

	if (expected)
		assert_ptr_equal((*expected)++, job); /* one thread: in order */
	done_count++;
}

static void paint_with(unsigned int threads)
{
	enum { N = 20 };
	struct paint_job jobs[N] = {0}, *next = jobs;
	unsigned char pixels[W * H * 3] = {0};
	struct painter *painter;
	struct loop *loop;

	done_count = 0;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(painter_new(loop, &limits, threads, &painter), 0);
	for (int i = 0; i < N; i++) {
		encode(PNG_FORMAT_RGB, pixels, &jobs[i].in);
		if (i % 3 == 2)
			jobs[i].in.len -= 9;
		jobs[i].done = on_done;
		jobs[i].arg = threads == 1 ? &next : NULL;
		painter_add(painter, &jobs[i]);
	}
	while (done_count < N)
		assert_int_equal(loop_once(loop, 10000), 0);
	for (int i = 0; i < N; i++) {
		assert_int_equal(jobs[i].result, i % 3 == 2 ? -EBADMSG : 0);
		buf_fini(&jobs[i].in);
		buf_fini(&jobs[i].out);
	}
	painter_free(painter);
	loop_free(loop);
}

static void test_painter(void **state)
{
	paint_with(1);
	paint_with(PAINTER_THREADS_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alpha_stays),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_painter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
