/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inverts the colours of a PNG: each colour sample v becomes max - v, alpha stays. Type and depth of the picture stay, so
 * that the result is exact: palettes are inverted in the palette, a transparent colour moves with its pixels. Colour space
 * chunks (gAMA, cHRM, sRGB, iCCP, pHYs) are kept, texts and animations are not. Row by row: a picture of any size takes the memory of a
 * few rows, but for interlaced ones.
 */
#ifndef SERVICES_WORKER_INVERT_H
#define SERVICES_WORKER_INVERT_H

#include "lib/buf.h"
#include "lib/err.h"
#include "services/worker/picture.h"

/*
 * Reads len bytes of PNG and appends the inverted one to out (its limit holds). 0; -EBADMSG (not a PNG, broken, cut off),
 * -EFBIG (over a limit), -EMSGSIZE (out's limit), -ENOMEM; err has the sentence. Any thread.
 */
int invert_png(const void *data, size_t len, const struct picture_limits *limits, struct buf *out,
	struct err *err);

#endif
