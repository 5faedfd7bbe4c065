/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of both formats through every operation: the first byte chooses, the rest is the picture. What is accepted gives a
 * picture of the size and format that was asked for.
 */
#include "services/worker/codec.h"
#include "services/worker/paint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {"", "format=jpeg", "op=grayscale", "op=resize&width=33",
	"op=resize&width=5&height=40&format=png", "op=blur&radius=3", "op=edges",
	"op=thumbnail&size=16", "op=grayscale&format=png", "op=blur&format=jpeg"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct picture_limits limits = {
		.max_side = 1000, .max_pixels = 40000, .memory_bytes = 4 * MIB};
	_cleanup_buf_ struct buf out = {.max = 1 * MIB};
	struct picture_params params;
	struct picture_head in, got;
	enum picture_format format;
	struct err err = {0};
	uint32_t w, h;
	int r;

	if (size < 1 || picture_params_parse(texts[data[0] % ARRAY_SIZE(texts)], &params, &err) < 0)
		return 0;
	r = paint_picture(data + 1, size - 1, &params, &limits, &out, &format, &err);
	if (r < 0) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	r = picture_sniff(data + 1, size - 1) == FORMAT_PNG
		? png_head(data + 1, size - 1, &in, &err)
		: jpeg_head(data + 1, size - 1, &in, &err);
	if (r < 0 || picture_sniff(out.data, out.len) != format)
		abort();
	r = format == FORMAT_PNG ? png_head(out.data, out.len, &got, &err)
				 : jpeg_head(out.data, out.len, &got, &err);
	picture_target(&params, in.width, in.height, &w, &h);
	if (r < 0 || got.width != w || got.height != h)
		abort();
	return 0;
}
