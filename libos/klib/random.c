/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/klib/random.h"

#include "libos/klib/string.h"

#include <stdbool.h>
#include <stdint.h>

#define KEY_WORDS         8
#define BLOCK_BYTES       64
#define RDRAND_TRIES      10
#define CPUID1_ECX_RDRAND (1u << 30)

static uint32_t key[KEY_WORDS];
unsigned random_generation;

static uint32_t rotl(uint32_t x, int n)
{
	return (x << n) | (x >> (32 - n));
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotl(*d ^ *a, 16);
	*c += *d;
	*b = rotl(*b ^ *c, 12);
	*a += *b;
	*d = rotl(*d ^ *a, 8);
	*c += *d;
	*b = rotl(*b ^ *c, 7);
}

/* RFC 8439, section 2.3: one block; the nonce is zero, because no key is used for two requests. */
static void chacha20_block(const uint32_t k[KEY_WORDS], uint32_t counter, uint32_t out[16])
{
	const uint32_t init[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, k[0], k[1], k[2],
		k[3], k[4], k[5], k[6], k[7], counter, 0, 0, 0};
	uint32_t x[16];

	memcpy(x, init, sizeof(x));
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 4; i++)
			quarter_round(&x[i], &x[4 + i], &x[8 + i], &x[12 + i]);
		for (int i = 0; i < 4; i++)
			quarter_round(&x[i], &x[4 + (i + 1) % 4], &x[8 + (i + 2) % 4],
				&x[12 + (i + 3) % 4]);
	}
	for (int i = 0; i < 16; i++)
		out[i] = x[i] + init[i];
}

/* The first 32 bytes of a block become the next key, so that what was given out can not be computed again. */
static void next_key(uint32_t block[16])
{
	chacha20_block(key, 0, block);
	memcpy(key, block, sizeof(key));
}

static void mix(const void *data, size_t n)
{
	const uint8_t *in = data;
	uint32_t block[16];

	while (n) {
		uint8_t chunk[sizeof(key)] = {0};
		size_t len = n < sizeof(chunk) ? n : sizeof(chunk);

		memcpy(chunk, in, len);
		for (size_t i = 0; i < KEY_WORDS; i++) {
			uint32_t word;

			memcpy(&word, chunk + 4 * i, 4);
			key[i] ^= word;
		}
		next_key(block);
		in += len;
		n -= len;
	}
}

/* Asked once: the instruction leaves the guest. A clone runs on the same processor as its template. */
static bool have_rdrand(void)
{
	static uint32_t features;
	uint32_t a = 1, b, c, d;

	if (!features) {
		__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
		features = c | 1;
	}
	return features & CPUID1_ECX_RDRAND;
}

static bool rdrand(uint64_t *value)
{
	for (int i = 0; i < RDRAND_TRIES; i++) {
		uint8_t ok;

		__asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok) : : "cc");
		if (ok)
			return true;
	}
	return false;
}

void random_seed(const void *entropy, size_t n)
{
	uint64_t words[5];
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	words[0] = ((uint64_t)hi << 32) | lo;
	for (size_t i = 1; i < 5; i++) {
		words[i] = 0;
		if (have_rdrand())
			rdrand(&words[i]);
	}
	mix(words, sizeof(words));
	mix(entropy, n);
	random_generation++;
}

void random_bytes(void *dst, size_t n)
{
	uint8_t *out = dst;
	uint32_t once[KEY_WORDS];
	uint32_t block[16];

	next_key(block);
	memcpy(once, block + KEY_WORDS, sizeof(once));
	for (uint32_t counter = 1; n; counter++) {
		size_t len = n < BLOCK_BYTES ? n : BLOCK_BYTES;

		chacha20_block(once, counter, block);
		memcpy(out, block, len);
		out += len;
		n -= len;
	}
}
