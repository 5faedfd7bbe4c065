/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done with a picture: "op=resize&width=640&format=jpeg". A client says it to a master, the queue keeps it as
 * text, the worker reads it. No parameters at all: invert, the wire's default, in the format that came.
 *
 *   op         field      meaning
 *   invert     -          each colour sample v becomes max - v
 *   grayscale  -          Rec. 601 luma
 *   resize     width      pixels; one of both keeps the proportions, both together are the size
 *              height
 *   blur       radius     1 to 30 pixels (default 4): Gaussian, sigma is half of it
 *   edges      -          Sobel, |x| + |y|, of the luma
 *   thumbnail  size       16 to 1024 pixels (default 200): fits into a square of that side, is never enlarged
 *   any        format     png, jpeg (default: as it came)
 *   any        quality    1 to 100 (default 85), of a JPEG that is written
 */
#ifndef SERVICES_COMMON_PICTURE_PARAMS_H
#define SERVICES_COMMON_PICTURE_PARAMS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_PARAMS_BYTES 201 /* of the text, with its NUL */
#define PICTURE_SIDE_MAX     16384

enum picture_op {
	OP_INVERT,
	OP_GRAYSCALE,
	OP_RESIZE,
	OP_BLUR,
	OP_EDGES,
	OP_THUMBNAIL,
};
#define PICTURE_OPS 6

enum picture_format {
	FORMAT_SAME, /* as it came */
	FORMAT_PNG,
	FORMAT_JPEG,
};

struct picture_params {
	enum picture_op op;
	enum picture_format format;
	bool has_op;
	uint32_t width, height, radius, size, quality; /* 0: not given */
};

/* Names as they stand in the text. */
const char *picture_op_name(enum picture_op op);
const char *picture_format_name(enum picture_format format);
/* Whether a field of a form or query is one of ours. */
bool picture_params_knows(const char *name);
/* One field. 0, or -EINVAL with a sentence: unknown, bad, or given twice. An empty value counts as not given. */
int picture_params_set(
	struct picture_params *p, const char *name, const char *value, struct err *err);
/* Whether the fields fit each other; fills the defaults in. 0, or -EINVAL with a sentence. */
int picture_params_check(struct picture_params *p, struct err *err);
/* The whole text, checked. "" is the default. 0, or -EINVAL with a sentence. */
int picture_params_parse(const char *text, struct picture_params *p, struct err *err);
/* The text of checked parameters, always the same for the same; "" for the default. out takes PICTURE_PARAMS_BYTES. */
void picture_params_format(const struct picture_params *p, char *out);

#endif
