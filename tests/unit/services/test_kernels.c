/* SPDX-License-Identifier: Apache-2.0 */
/* Each fast kernel gives what the plain one gives, at all lengths and alignments, and touches nothing beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/util.h"
#include "services/worker/kernels.h"
#include "services/worker/ops.h"

#include <stdlib.h>

#define LEN_MAX  150
#define TAPS_MAX 7

static uint64_t seed = 1;

static uint8_t chance(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint8_t)(seed >> 56);
}

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = chance() < 100 ? (uint8_t)(chance() & 1 ? 255 : 0) : chance();
}

/* The ones that this processor runs. */
static const struct kernels *const *fast(void)
{
	static const struct kernels *list[3] = {&kernels_sse2};

	if (__builtin_cpu_supports("avx2"))
		list[1] = &kernels_avx2;
	return list;
}

/* Its own allocation, so that one byte too far is seen by the sanitizer; a guard behind for the rest. */
static uint8_t *copy(const uint8_t *from, size_t len)
{
	uint8_t *p = malloc(len + 1);

	memcpy(p, from, len);
	p[len] = 0xa5;
	return p;
}

static void same(const char *what, const struct kernels *k, uint8_t *got, uint8_t *want, size_t len)
{
	if (memcmp(got, want, len + 1) != 0)
		fail_msg("%s of %s differs at length %zu", what, k->name, len);
	free(got);
	free(want);
}

static void test_mask(void **state)
{
	uint8_t row[LEN_MAX], mask[KERNEL_MASK_BYTES];

	fill(mask, sizeof(mask));
	for (const struct kernels *const *k = fast(); *k; k++) {
		for (size_t len = 0; len <= LEN_MAX; len++) {
			uint8_t *got, *want;

			fill(row, len);
			got = copy(row, len);
			want = copy(row, len);
			(*k)->mask(got, len, mask);
			kernels_scalar.mask(want, len, mask);
			same("mask", *k, got, want, len);
		}
	}
}

static void test_negate(void **state)
{
	uint8_t row[LEN_MAX], mask[KERNEL_MASK_BYTES];

	for (size_t i = 0; i < sizeof(mask); i++)
		mask[i] = i % 4 == 3 ? 0 : 255;
	for (const struct kernels *const *k = fast(); *k; k++) {
		for (size_t len = 0; len <= LEN_MAX; len++) {
			uint8_t *got, *want;

			fill(row, len);
			got = copy(row, len);
			want = copy(row, len);
			(*k)->negate(got, len, mask);
			for (size_t i = 0; i < len; i++)
				want[i] = i % 4 == 3 ? row[i] : (uint8_t)-row[i];
			same("negate", *k, got, want, len);
		}
	}
}

static void test_luma(void **state)
{
	uint8_t rgb[LEN_MAX * 4];

	for (const struct kernels *const *k = fast(); *k; k++) {
		for (size_t len = 0; len <= LEN_MAX; len++) {
			for (unsigned int bytes = 3; bytes <= 4; bytes++) {
				uint8_t *in, *got = calloc(len + 1, 1), *want = calloc(len + 1, 1);

				fill(rgb, len * bytes);
				in = copy(rgb, len * bytes);
				(*k)->luma(got, in, len, bytes);
				kernels_scalar.luma(want, in, len, bytes);
				same("luma", *k, got, want, len);
				if (bytes == 3) { /* in place */
					want = calloc(len + 1, 1);
					kernels_scalar.luma(want, in, len, bytes);
					(*k)->luma(in, in, len, bytes);
					assert_memory_equal(in, want, len);
					free(want);
				}
				free(in);
			}
		}
	}
	{
		const uint8_t white[3] = {255, 255, 255};
		uint8_t out;

		kernels_scalar.luma(&out, white, 1, 3);
		assert_int_equal(out, 255);
	}
}

static void test_weigh(void **state)
{
	for (const struct kernels *const *k = fast(); *k; k++) {
		for (size_t len = 0; len <= LEN_MAX; len++) {
			size_t taps = 1 + len % TAPS_MAX;
			uint8_t bytes[LEN_MAX], *src[TAPS_MAX];
			double real[TAPS_MAX];
			int16_t weight[TAPS_MAX];
			uint8_t *got = calloc(len + 1, 1), *want = calloc(len + 1, 1);
			int sum = 0;

			for (size_t i = 0; i < taps; i++) {
				fill(bytes, len);
				src[i] = copy(bytes, len);
				real[i] = chance() + 0.1;
			}
			op_weights(real, taps, weight);
			for (size_t i = 0; i < taps; i++)
				sum += weight[i];
			assert_int_equal(sum, 1 << WEIGHT_BITS);
			(*k)->weigh(got, (const uint8_t *const *)src, weight, taps, len);
			kernels_scalar.weigh(want, (const uint8_t *const *)src, weight, taps, len);
			same("weigh", *k, got, want, len);
			for (size_t i = 0; i < taps; i++)
				free(src[i]);
		}
	}
}

static void test_sobel(void **state)
{
	for (const struct kernels *const *k = fast(); *k; k++) {
		for (size_t len = 0; len <= LEN_MAX; len++) {
			uint8_t bytes[LEN_MAX + 2], *row[3];
			uint8_t *got = calloc(len + 1, 1), *want = calloc(len + 1, 1);

			for (size_t i = 0; i < 3; i++) {
				fill(bytes, len + 2);
				row[i] = copy(bytes, len + 2);
			}
			(*k)->sobel(got, row[0] + 1, row[1] + 1, row[2] + 1, len);
			kernels_scalar.sobel(want, row[0] + 1, row[1] + 1, row[2] + 1, len);
			same("sobel", *k, got, want, len);
			for (size_t i = 0; i < 3; i++)
				free(row[i]);
		}
	}
}

static void test_best(void **state)
{
	const struct kernels *want = __builtin_cpu_supports("avx2") ? &kernels_avx2 : &kernels_sse2;

	assert_ptr_equal(kernels_best(), want);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_negate),
		cmocka_unit_test(test_luma),
		cmocka_unit_test(test_weigh),
		cmocka_unit_test(test_sobel),
		cmocka_unit_test(test_best),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
