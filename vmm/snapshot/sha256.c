/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/snapshot/sha256.h"

#include <string.h>

#define BLOCK_BYTES 64u

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2), of the square roots of the first 8 (5.3.3). */
static const uint32_t k[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A round, with the eight variables by their names in section 6.2.2: who takes whose place is said by the order of the arguments, because
 * moving them through memory costs ten times the round. */
static inline void do_round(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
	uint32_t g, uint32_t *h, uint32_t kw)
{
	uint32_t t1 = *h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + kw;
	uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

	*d += t1;
	*h = t1 + t2;
}

/* Section 6.2.2. */
static void do_block(struct sha256 *s, const uint8_t *p)
{
	uint32_t a = s->state[0], b = s->state[1], c = s->state[2], d = s->state[3];
	uint32_t e = s->state[4], f = s->state[5], g = s->state[6], h = s->state[7];
	uint32_t w[64];

	for (unsigned i = 0; i < 16; i++)
		w[i] = load(p + 4 * i);
	for (unsigned i = 16; i < 64; i++) {
		uint32_t x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + (ror(x, 7) ^ ror(x, 18) ^ x >> 3) + w[i - 7] +
			(ror(y, 17) ^ ror(y, 19) ^ y >> 10);
	}
	for (unsigned i = 0; i < 64; i += 8) {
		do_round(a, b, c, &d, e, f, g, &h, k[i] + w[i]);
		do_round(h, a, b, &c, d, e, f, &g, k[i + 1] + w[i + 1]);
		do_round(g, h, a, &b, c, d, e, &f, k[i + 2] + w[i + 2]);
		do_round(f, g, h, &a, b, c, d, &e, k[i + 3] + w[i + 3]);
		do_round(e, f, g, &h, a, b, c, &d, k[i + 4] + w[i + 4]);
		do_round(d, e, f, &g, h, a, b, &c, k[i + 5] + w[i + 5]);
		do_round(c, d, e, &f, g, h, a, &b, k[i + 6] + w[i + 6]);
		do_round(b, c, d, &e, f, g, h, &a, k[i + 7] + w[i + 7]);
	}
	s->state[0] += a;
	s->state[1] += b;
	s->state[2] += c;
	s->state[3] += d;
	s->state[4] += e;
	s->state[5] += f;
	s->state[6] += g;
	s->state[7] += h;
}

void sha256_init(struct sha256 *s)
{
	memcpy(s->state, start, sizeof(start));
	s->bytes = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t have = s->bytes % BLOCK_BYTES;

	s->bytes += len;
	if (have) {
		size_t part = len < BLOCK_BYTES - have ? len : BLOCK_BYTES - have;

		memcpy(s->block + have, p, part);
		if (have + part < BLOCK_BYTES)
			return;
		do_block(s, s->block);
		p += part;
		len -= part;
	}
	for (; len >= BLOCK_BYTES; p += BLOCK_BYTES, len -= BLOCK_BYTES)
		do_block(s, p);
	memcpy(s->block, p, len);
}

/* Section 5.1.1: a 1, zeros, and the length in bits. */
void sha256_end(struct sha256 *s, uint8_t digest[SHA256_BYTES])
{
	static const uint8_t pad[BLOCK_BYTES] = {0x80};
	uint64_t bits = s->bytes * 8;
	size_t have = s->bytes % BLOCK_BYTES;
	uint8_t length[8];

	for (unsigned i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_add(s, pad, (have < 56 ? 56 : 120) - have);
	sha256_add(s, length, sizeof(length));
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		digest[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}
