/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/picture.h"

#include "lib/util.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CODEC_BYTES (2 * MIB) /* windows, tables, single rows */

enum picture_format picture_sniff(const void *data, size_t len)
{
	static const unsigned char png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	static const unsigned char jpeg[3] = {0xff, 0xd8, 0xff};

	if (len >= sizeof(png) && memcmp(data, png, sizeof(png)) == 0)
		return FORMAT_PNG;
	if (len >= sizeof(jpeg) && memcmp(data, jpeg, sizeof(jpeg)) == 0)
		return FORMAT_JPEG;
	return FORMAT_SAME;
}

int picture_make(
	struct picture *p, uint32_t width, uint32_t height, unsigned int channels, struct err *err)
{
	uint8_t *data = malloc((size_t)width * height * channels);

	if (!data)
		return err_set(err, ENOMEM, "out of memory");
	*p = (struct picture){.width = width, .height = height, .channels = channels, .data = data};
	return 0;
}

void picture_fini(struct picture *p)
{
	free(p->data);
	p->data = NULL;
}

size_t picture_row_bytes(const struct picture *p)
{
	return (size_t)p->width * p->channels;
}

void picture_premultiply(struct picture *p)
{
	unsigned int n = p->channels;
	size_t len = picture_row_bytes(p) * p->height;

	for (size_t i = 0; i < len; i += n) {
		unsigned int alpha = p->data[i + n - 1];

		for (unsigned int c = 0; c + 1 < n; c++)
			p->data[i + c] = (uint8_t)((p->data[i + c] * alpha + 127) / 255);
	}
}

void picture_unpremultiply(struct picture *p)
{
	unsigned int n = p->channels;
	size_t len = picture_row_bytes(p) * p->height;

	for (size_t i = 0; i < len; i += n) {
		unsigned int alpha = p->data[i + n - 1];

		for (unsigned int c = 0; alpha && c + 1 < n; c++) {
			unsigned int v = (p->data[i + c] * 255u + alpha / 2) / alpha;

			p->data[i + c] = (uint8_t)(v > 255 ? 255 : v);
		}
	}
}

/* n of of parts, rounded, at least 1. */
static uint32_t part(uint64_t n, uint64_t of, uint64_t parts)
{
	uint64_t v = (n * of + parts / 2) / parts;

	return (uint32_t)(v ? v : 1);
}

void picture_target(const struct picture_params *params, uint32_t width, uint32_t height,
	uint32_t *out_width, uint32_t *out_height)
{
	uint32_t w = width, h = height;

	if (params->op == OP_RESIZE) {
		w = params->width ? params->width : part(width, params->height, height);
		h = params->height ? params->height : part(height, params->width, width);
	} else if (params->op == OP_THUMBNAIL && (w > params->size || h > params->size)) {
		w = width >= height ? params->size : part(width, params->size, height);
		h = height >= width ? params->size : part(height, params->size, width);
	}
	*out_width = w;
	*out_height = h;
}

uint64_t picture_need(const struct picture_head *head, const struct picture_params *params)
{
	uint64_t w = (head->width + head->shrink - 1) / head->shrink,
		 h = (head->height + head->shrink - 1) / head->shrink,
		 decoded = w * h * head->channels, need = decoded + CODEC_BYTES;
	uint32_t to_w, to_h;

	picture_target(params, head->width, head->height, &to_w, &to_h);
	if (params->op == OP_RESIZE || params->op == OP_THUMBNAIL)
		need += (uint64_t)to_w * to_h * head->channels;
	if (head->turn > 1 && params->format == FORMAT_PNG)
		need += (uint64_t)to_w * to_h * head->channels;
	/* Coefficients of two bytes, of all of it; an interlaced PNG is put together where it lies. */
	if (head->whole && head->format == FORMAT_JPEG)
		need += (uint64_t)head->width * head->height * head->channels * 2;
	return need;
}

int picture_check(const struct picture_head *head, const struct picture_params *params,
	const struct picture_limits *limits, struct err *err)
{
	uint64_t pixels = (uint64_t)head->width * head->height, need;
	uint32_t w, h;

	if (head->width > limits->max_side || head->height > limits->max_side)
		return err_set(err, EFBIG,
			"the picture has too many pixels on a side: %ux%u, at most %u", head->width,
			head->height, limits->max_side);
	if (pixels > limits->max_pixels)
		return err_set(err, EFBIG,
			"the picture has too many pixels: %ux%u, at most %" PRIu64, head->width,
			head->height, limits->max_pixels);
	picture_target(params, head->width, head->height, &w, &h);
	if (w > limits->max_side || h > limits->max_side || (uint64_t)w * h > limits->max_pixels)
		return err_set(err, EFBIG, "the result would have too many pixels: %ux%u", w, h);
	need = picture_need(head, params);
	if (need > limits->memory_bytes)
		return err_set(err, EFBIG,
			"the picture (%ux%u) needs %" PRIu64 " MiB of memory, there are %" PRIu64,
			head->width, head->height, need / (uint64_t)MIB + 1,
			limits->memory_bytes / (uint64_t)MIB);
	return 0;
}
