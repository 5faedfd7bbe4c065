/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One picture from bytes to bytes:
 *
 *   sniff -> head -> limits -> decode -> operation -> encode
 *         \-> a PNG that is inverted and stays one: row by row, exact at every type and depth (invert.c)
 */
#ifndef SERVICES_WORKER_PAINT_H
#define SERVICES_WORKER_PAINT_H

#include "lib/buf.h"
#include "services/worker/picture.h"

/*
 * Appends the result to out, whose limit holds; format: what it is (PNG or JPEG). 0; -EBADMSG (no PNG or JPEG, broken, cut
 * off), -EFBIG (over a limit), -EMSGSIZE (out's limit), -ENOMEM; err has the sentence. Only -ENOMEM may be over by the next
 * time. Any thread.
 */
int paint_picture(const void *data, size_t len, const struct picture_params *params,
	const struct picture_limits *limits, struct buf *out, enum picture_format *format,
	struct err *err);

#endif
