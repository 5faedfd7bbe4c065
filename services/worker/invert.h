/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inverts the colours of a PNG: each colour sample v becomes max - v, alpha stays. Type and depth of the picture stay, so
 * that the result is exact: palettes are inverted in the palette, a transparent colour moves with its pixels. Colour space
 * chunks (gAMA, cHRM, sRGB, iCCP, pHYs) are kept, texts and animations are not.
 */
#ifndef SERVICES_WORKER_INVERT_H
#define SERVICES_WORKER_INVERT_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdint.h>

struct invert_limits {
	uint32_t max_side; /* of width and height, in pixels */
	uint64_t max_pixels;
	uint64_t
		max_bytes; /* decoded, of an interlaced picture (others need one row); and of any allocation */
};

/*
 * Reads len bytes of PNG and appends the inverted one to out (its limit holds). 0; -EBADMSG (not a PNG, broken, cut off),
 * -EFBIG (over a limit), -EMSGSIZE (out's limit), -ENOMEM; err has the sentence. Any thread.
 */
int invert_png(const void *data, size_t len, const struct invert_limits *limits, struct buf *out,
	struct err *err);

#endif
