/* SPDX-License-Identifier: Apache-2.0 */
/* AVX2: only this file's functions use it, and they are called only where kernels_best() found it. */
#include "services/worker/kernels_impl.h"

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

AVX2 static void store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)p, v);
}

AVX2 static void avx2_mask(uint8_t *row, size_t len, const uint8_t *mask)
{
	__m256i m = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)mask));
	size_t i = 0;

	for (; i + 32 <= len; i += 32)
		store(row + i, _mm256_xor_si256(load(row + i), m));
	scalar_mask(row + i, len - i, mask);
}

AVX2 static void avx2_negate(uint8_t *row, size_t len, const uint8_t *mask)
{
	__m256i m = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)mask));
	size_t i = 0;

	for (; i + 32 <= len; i += 32)
		store(row + i, _mm256_sub_epi8(_mm256_xor_si256(load(row + i), m), m));
	scalar_negate(row + i, len - i, mask);
}

/* Eight pixels, four in each half: red and green side by side as 16-bit numbers, then blue. */
AVX2 static void avx2_luma(uint8_t *out, const uint8_t *rgb, size_t pixels, unsigned int bytes)
{
	const char n = -1;
	__m128i rg3 = _mm_setr_epi8(0, n, 1, n, 3, n, 4, n, 6, n, 7, n, 9, n, 10, n),
		b3 = _mm_setr_epi8(2, n, n, n, 5, n, n, n, 8, n, n, n, 11, n, n, n),
		rg4 = _mm_setr_epi8(0, n, 1, n, 4, n, 5, n, 8, n, 9, n, 12, n, 13, n),
		b4 = _mm_setr_epi8(2, n, n, n, 6, n, n, n, 10, n, n, n, 14, n, n, n);
	__m256i take_rg = _mm256_broadcastsi128_si256(bytes == 3 ? rg3 : rg4),
		take_b = _mm256_broadcastsi128_si256(bytes == 3 ? b3 : b4),
		w_rg = _mm256_set1_epi32(LUMA_R | LUMA_G << 16), w_b = _mm256_set1_epi32(LUMA_B),
		half = _mm256_set1_epi32(1 << (LUMA_BITS - 1));
	size_t i = 0;

	/* The second load reads 16 bytes from the fifth pixel on: up to ten pixels of three. */
	for (; i + 10 <= pixels; i += 8) {
		const uint8_t *p = rgb + i * bytes;
		__m256i v = _mm256_inserti128_si256(
			_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p)),
			_mm_loadu_si128((const __m128i *)(p + (size_t)4 * bytes)), 1);
		__m256i sum = _mm256_add_epi32(
			_mm256_add_epi32(_mm256_madd_epi16(_mm256_shuffle_epi8(v, take_rg), w_rg),
				_mm256_madd_epi16(_mm256_shuffle_epi8(v, take_b), w_b)),
			half);
		__m128i low, high, words;

		sum = _mm256_srli_epi32(sum, LUMA_BITS);
		low = _mm256_castsi256_si128(sum);
		high = _mm256_extracti128_si256(sum, 1);
		words = _mm_packs_epi32(low, high);
		_mm_storel_epi64((__m128i *)(out + i), _mm_packus_epi16(words, words));
	}
	scalar_luma(out + i, rgb + i * bytes, pixels - i, bytes);
}

/* Sums of 32 bytes; unpacking and packing both work within halves, so that the order is right again at the end. */
struct sums {
	__m256i v[4];
};

AVX2 static void add_pair(struct sums *s, __m256i a, __m256i b, __m256i w)
{
	__m256i zero = _mm256_setzero_si256(), low = _mm256_unpacklo_epi8(a, b),
		high = _mm256_unpackhi_epi8(a, b);

	s->v[0] = _mm256_add_epi32(s->v[0], _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), w));
	s->v[1] = _mm256_add_epi32(s->v[1], _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), w));
	s->v[2] = _mm256_add_epi32(s->v[2], _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), w));
	s->v[3] = _mm256_add_epi32(s->v[3], _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), w));
}

AVX2 static __m256i pack(const struct sums *s)
{
	return _mm256_packus_epi16(_mm256_packs_epi32(_mm256_srai_epi32(s->v[0], WEIGHT_BITS),
					   _mm256_srai_epi32(s->v[1], WEIGHT_BITS)),
		_mm256_packs_epi32(_mm256_srai_epi32(s->v[2], WEIGHT_BITS),
			_mm256_srai_epi32(s->v[3], WEIGHT_BITS)));
}

AVX2 static void avx2_weigh(
	uint8_t *out, const uint8_t *const *src, const int16_t *weight, size_t taps, size_t len)
{
	__m256i half = _mm256_set1_epi32(1 << (WEIGHT_BITS - 1));
	size_t i = 0;

	for (; i + 32 <= len; i += 32) {
		struct sums s = {{half, half, half, half}};
		size_t k = 0;

		for (; k + 2 <= taps; k += 2)
			add_pair(&s, load(src[k] + i), load(src[k + 1] + i),
				_mm256_set1_epi32((uint16_t)weight[k] | (int)weight[k + 1] << 16));
		if (k < taps)
			add_pair(&s, load(src[k] + i), _mm256_setzero_si256(),
				_mm256_set1_epi32((uint16_t)weight[k]));
		store(out + i, pack(&s));
	}
	scalar_weigh_from(i, out, src, weight, taps, len);
}

AVX2 static __m256i wide(const uint8_t *p)
{
	return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
}

AVX2 static __m256i smooth(__m256i a, __m256i b, __m256i c)
{
	return _mm256_add_epi16(_mm256_add_epi16(a, c), _mm256_add_epi16(b, b));
}

AVX2 static void avx2_sobel(
	uint8_t *out, const uint8_t *above, const uint8_t *row, const uint8_t *below, size_t len)
{
	size_t i = 0;

	for (; i + 16 <= len; i += 16) {
		const uint8_t *a = above + i, *r = row + i, *b = below + i;
		__m256i al = wide(a - 1), ar = wide(a + 1), bl = wide(b - 1), br = wide(b + 1);
		__m256i x =
			_mm256_sub_epi16(smooth(ar, wide(r + 1), br), smooth(al, wide(r - 1), bl));
		__m256i y = _mm256_sub_epi16(smooth(bl, wide(b), br), smooth(al, wide(a), ar));
		__m256i sum = _mm256_add_epi16(_mm256_abs_epi16(x), _mm256_abs_epi16(y));

		_mm_storeu_si128((__m128i *)(out + i),
			_mm_packus_epi16(
				_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
	}
	scalar_sobel(out + i, above + i, row + i, below + i, len - i);
}

const struct kernels kernels_avx2 = {.name = "avx2",
	.mask = avx2_mask,
	.negate = avx2_negate,
	.luma = avx2_luma,
	.weigh = avx2_weigh,
	.sobel = avx2_sobel};
