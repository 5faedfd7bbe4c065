/* SPDX-License-Identifier: Apache-2.0 */
/* SSE2. Luma stays scalar: without SSSE3's byte shuffle, taking pixels of three bytes apart costs what it saves. */
#include "services/worker/kernels_impl.h"

#include <emmintrin.h>

static __m128i load(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static void store(uint8_t *p, __m128i v)
{
	_mm_storeu_si128((__m128i *)p, v);
}

static void sse2_mask(uint8_t *row, size_t len, const uint8_t *mask)
{
	__m128i m = load(mask);
	size_t i = 0;

	for (; i + 16 <= len; i += 16)
		store(row + i, _mm_xor_si128(load(row + i), m));
	scalar_mask(row + i, len - i, mask);
}

static void sse2_negate(uint8_t *row, size_t len, const uint8_t *mask)
{
	__m128i m = load(mask);
	size_t i = 0;

	for (; i + 16 <= len; i += 16)
		store(row + i, _mm_sub_epi8(_mm_xor_si128(load(row + i), m), m));
	scalar_negate(row + i, len - i, mask);
}

/* Sums of 16 bytes, four to a register. */
struct sums {
	__m128i v[4];
};

/* Two sources at a time: a * low half of w + b * high half. */
static void add_pair(struct sums *s, __m128i a, __m128i b, __m128i w)
{
	__m128i zero = _mm_setzero_si128(), low = _mm_unpacklo_epi8(a, b),
		high = _mm_unpackhi_epi8(a, b);

	s->v[0] = _mm_add_epi32(s->v[0], _mm_madd_epi16(_mm_unpacklo_epi8(low, zero), w));
	s->v[1] = _mm_add_epi32(s->v[1], _mm_madd_epi16(_mm_unpackhi_epi8(low, zero), w));
	s->v[2] = _mm_add_epi32(s->v[2], _mm_madd_epi16(_mm_unpacklo_epi8(high, zero), w));
	s->v[3] = _mm_add_epi32(s->v[3], _mm_madd_epi16(_mm_unpackhi_epi8(high, zero), w));
}

static __m128i pack(const struct sums *s)
{
	return _mm_packus_epi16(_mm_packs_epi32(_mm_srai_epi32(s->v[0], WEIGHT_BITS),
					_mm_srai_epi32(s->v[1], WEIGHT_BITS)),
		_mm_packs_epi32(_mm_srai_epi32(s->v[2], WEIGHT_BITS),
			_mm_srai_epi32(s->v[3], WEIGHT_BITS)));
}

static void sse2_weigh(
	uint8_t *out, const uint8_t *const *src, const int16_t *weight, size_t taps, size_t len)
{
	__m128i half = _mm_set1_epi32(1 << (WEIGHT_BITS - 1));
	size_t i = 0;

	for (; i + 16 <= len; i += 16) {
		struct sums s = {{half, half, half, half}};
		size_t k = 0;

		for (; k + 2 <= taps; k += 2)
			add_pair(&s, load(src[k] + i), load(src[k + 1] + i),
				_mm_set1_epi32((uint16_t)weight[k] | (int)weight[k + 1] << 16));
		if (k < taps)
			add_pair(&s, load(src[k] + i), _mm_setzero_si128(),
				_mm_set1_epi32((uint16_t)weight[k]));
		store(out + i, pack(&s));
	}
	scalar_weigh_from(i, out, src, weight, taps, len);
}

static __m128i wide(const uint8_t *p)
{
	return _mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i *)p), _mm_setzero_si128());
}

/* a + 2 b + c */
static __m128i smooth(__m128i a, __m128i b, __m128i c)
{
	return _mm_add_epi16(_mm_add_epi16(a, c), _mm_add_epi16(b, b));
}

static __m128i difference(__m128i a, __m128i b)
{
	return _mm_max_epi16(_mm_sub_epi16(a, b), _mm_sub_epi16(b, a));
}

static void sse2_sobel(
	uint8_t *out, const uint8_t *above, const uint8_t *row, const uint8_t *below, size_t len)
{
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		const uint8_t *a = above + i, *r = row + i, *b = below + i;
		__m128i al = wide(a - 1), ar = wide(a + 1), bl = wide(b - 1), br = wide(b + 1);
		__m128i x = difference(smooth(ar, wide(r + 1), br), smooth(al, wide(r - 1), bl));
		__m128i y = difference(smooth(bl, wide(b), br), smooth(al, wide(a), ar));
		__m128i sum = _mm_add_epi16(x, y);

		_mm_storel_epi64((__m128i *)(out + i), _mm_packus_epi16(sum, sum));
	}
	scalar_sobel(out + i, above + i, row + i, below + i, len - i);
}

const struct kernels kernels_sse2 = {.name = "sse2",
	.mask = sse2_mask,
	.negate = sse2_negate,
	.luma = scalar_luma,
	.weigh = sse2_weigh,
	.sobel = sse2_sobel};
