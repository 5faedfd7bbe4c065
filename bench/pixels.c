/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pixels: what the worker's inner loops and whole operations take, on this thread's own clock. Lines "NAME VALUE UNIT"; bench/pixels
 * makes a table of them. Each figure is the median of ROUNDS.
 */
#include "services/worker/codec.h"
#include "services/worker/ops.h"
#include "services/worker/paint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 9
#define WIDTH  1024
#define HEIGHT 768
#define TAPS   13 /* of blur with radius 4 */

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *us)
{
	qsort(us, ROUNDS, sizeof(*us), compare);
	return us[ROUNDS / 2];
}

/* Smooth with some noise: neither flat nor chance, as photographs are. */
static struct picture picture(unsigned int channels)
{
	struct picture p;
	uint32_t seed = 1;

	if (picture_make(&p, WIDTH, HEIGHT, channels, NULL) < 0)
		exit(1);
	for (size_t i = 0; i < picture_row_bytes(&p) * HEIGHT; i++) {
		seed = seed * 1664525u + 1013904223u;
		p.data[i] = (uint8_t)(i / channels % WIDTH / 8 + i / picture_row_bytes(&p) / 8 +
			(seed >> 29) + i % channels * 20);
	}
	return p;
}

static void one_kernel(const struct kernels *k, int which, const struct picture *rgb, uint8_t *to)
{
	static const uint8_t mask[KERNEL_MASK_BYTES] = {
		255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255, 0};
	size_t row = picture_row_bytes(rgb);
	double real[TAPS];
	int16_t weight[TAPS];

	for (size_t i = 0; i < TAPS; i++)
		real[i] = 1 + (double)i;
	op_weights(real, TAPS, weight);
	for (size_t y = 1; y + TAPS < HEIGHT; y++) {
		const uint8_t *from = rgb->data + row * y, *src[TAPS];

		for (size_t i = 0; i < TAPS; i++)
			src[i] = from + row * i;
		if (which == 0)
			k->mask(to + row * y, row, mask);
		else if (which == 1)
			k->luma(to + row * y, from, WIDTH, 3);
		else if (which == 2)
			k->weigh(to + row * y, src, weight, TAPS, row);
		else
			k->sobel(to + row * y, from - row, from, from + row, row - 2);
	}
}

static void kernels(void)
{
	static const char *const names[] = {"mask", "luma", "weigh", "sobel"};
	const struct kernels *all[] = {&kernels_scalar, &kernels_sse2, &kernels_avx2};
	struct picture rgb = picture(3);
	uint8_t *to = calloc(picture_row_bytes(&rgb), HEIGHT);
	double us[ROUNDS];

	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
			if (all[k] == &kernels_avx2 && kernels_best() != &kernels_avx2)
				continue;
			for (int i = 0; i < ROUNDS; i++) {
				double from = now_us();

				one_kernel(all[k], (int)n, &rgb, to);
				us[i] = now_us() - from;
			}
			printf("kernel.%s.%s %.3f ms\n", names[n], all[k]->name, median(us) / 1e3);
		}
	}
	free(to);
	picture_fini(&rgb);
}

static void operations(enum picture_format format)
{
	static const char *const texts[] = {"op=invert", "op=grayscale", "op=resize&width=512",
		"op=blur", "op=edges", "op=thumbnail"};
	static const struct picture_limits limits = {
		.max_side = 32768, .max_pixels = 50000000, .memory_bytes = 1024 * MIB};
	struct picture p = picture(3);
	_cleanup_buf_ struct buf in = {0};
	struct err err = {0};
	double us[ROUNDS];

	if ((format == FORMAT_PNG ? png_encode(&p, &in, &err) : jpeg_encode(&p, 90, &in, &err)) < 0)
		exit(1);
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++) {
		struct picture_params params;

		if (picture_params_parse(texts[n], &params, &err) < 0)
			exit(1);
		for (int i = 0; i < ROUNDS; i++) {
			_cleanup_buf_ struct buf out = {0};
			enum picture_format to;
			double from = now_us();

			if (paint_picture(in.data, in.len, &params, &limits, &out, &to, &err) < 0) {
				fprintf(stderr, "%s: %s\n", texts[n], err.msg);
				exit(1);
			}
			us[i] = now_us() - from;
		}
		printf("op.%s.%s %.2f ms\n", picture_op_name(params.op),
			picture_format_name(format), median(us) / 1e3);
	}
	picture_fini(&p);
}

int main(void)
{
	kernels();
	operations(FORMAT_PNG);
	operations(FORMAT_JPEG);
	return 0;
}
