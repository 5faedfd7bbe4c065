/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/png_pack.h"

#include "lib/util.h"

#include <errno.h>
#include <math.h>

#define PIECE_BYTES (64 * KIB)
#define OUT_BYTES   (16 * KIB)
#define SAMPLE_STEP 5 /* prime to the bytes of a pixel: all channels have their share */
#define NOISE_BITS  7.7
#define RUNS_BITS   2.0

/* Bits that each byte needs when only its frequency is made use of (order-0 entropy), of every fifth one. */
static double bits_of(const uint8_t *data, size_t len)
{
	unsigned int count[256] = {0}, n = 0;
	double bits = 0;

	for (size_t i = 0; i < len; i += SAMPLE_STEP, n++)
		count[data[i]]++;
	for (size_t i = 0; i < ARRAY_SIZE(count); i++) {
		if (count[i])
			bits -= count[i] * log2((double)count[i] / n);
	}
	return n ? bits / n : 0;
}

int png_pack_begin(struct png_pack *p)
{
	p->level = 1;
	p->strategy = Z_RLE;
	return deflateInit2(&p->z, p->level, Z_DEFLATED, 15, 8, p->strategy) == Z_OK ? 0 : -ENOMEM;
}

/* Until all that was given is out. */
static void run(struct png_pack *p, int flush)
{
	uint8_t out[OUT_BYTES];

	do {
		p->z.next_out = out;
		p->z.avail_out = sizeof(out);
		deflate(&p->z, flush);
		if (p->z.avail_out < sizeof(out))
			p->out(p->arg, out, sizeof(out) - p->z.avail_out);
	} while (p->z.avail_out == 0);
}

static void choose(struct png_pack *p, double bits)
{
	int level = bits > NOISE_BITS ? 0 : 1,
	    strategy = bits > RUNS_BITS ? Z_RLE : Z_DEFAULT_STRATEGY;
	uint8_t out[16];

	if (level == p->level && (level == 0 || strategy == p->strategy))
		return;
	run(p, Z_BLOCK); /* then the change itself has nothing to write */
	p->z.next_out = out;
	p->z.avail_out = sizeof(out);
	deflateParams(&p->z, level, strategy);
	if (p->z.avail_out < sizeof(out))
		p->out(p->arg, out, sizeof(out) - p->z.avail_out);
	p->level = level;
	p->strategy = strategy;
}

void png_pack_all(struct png_pack *p, const uint8_t *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;

		choose(p, bits_of(data + at, n));
		p->z.next_in = (z_const Bytef *)(uintptr_t)(data + at);
		p->z.avail_in = (uInt)n;
		run(p, Z_NO_FLUSH);
		at += n;
	}
	run(p, Z_FINISH);
}
