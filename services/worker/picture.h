/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture in memory: 8 bits a sample, rows one behind the other without gaps. What it may take is decided from its head, before
 * anything of it is decoded.
 */
#ifndef SERVICES_WORKER_PICTURE_H
#define SERVICES_WORKER_PICTURE_H

#include "lib/err.h"
#include "services/common/picture_params.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picture {
	uint32_t width, height;
	unsigned int channels; /* 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha */
	uint8_t *data;         /* owned; width * height * channels bytes */
	unsigned int turn;     /* a JPEG of it says so (exif.h); 0: nothing */
};

struct picture_limits {
	uint32_t max_side;   /* of width and height, in pixels */
	uint64_t max_pixels; /* before decoding */
	uint64_t
		memory_bytes; /* all that one picture's work may allocate, codecs and result included */
};

/* What is known before decoding. */
struct picture_head {
	uint32_t width, height; /* as it is shown */
	unsigned int channels;
	enum picture_format format; /* PNG or JPEG */
	bool whole; /* the codec holds all of it besides the picture: interlaced, progressive */
	unsigned int shrink; /* JPEG: decode at 1/shrink (1, 2, 4, 8) */
	unsigned int turn;   /* JPEG: 2 to 8: lies otherwise than it is shown (exif.h) */
};

/* PNG, JPEG, or FORMAT_SAME: neither. */
enum picture_format picture_sniff(const void *data, size_t len);

/* Allocates. 0 or -ENOMEM. */
int picture_make(
	struct picture *p, uint32_t width, uint32_t height, unsigned int channels, struct err *err);
void picture_fini(struct picture *p);
size_t picture_row_bytes(const struct picture *p);
static inline bool picture_has_alpha(const struct picture *p)
{
	return p->channels == 2 || p->channels == 4;
}

/* Colours times alpha and back: what mixes neighbours must not mix in the colours of transparent ones. */
void picture_premultiply(struct picture *p);
void picture_unpremultiply(struct picture *p);

/* The size that an operation gives a picture of this head; without one, its own. */
void picture_target(const struct picture_params *params, uint32_t width, uint32_t height,
	uint32_t *out_width, uint32_t *out_height);
/* Bytes that decoding it and the operation need, at most. */
uint64_t picture_need(const struct picture_head *head, const struct picture_params *params);
/* 0, or -EFBIG with a sentence. */
int picture_check(const struct picture_head *head, const struct picture_params *params,
	const struct picture_limits *limits, struct err *err);

#endif
