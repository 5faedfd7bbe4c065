/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/paint.h"

#include "services/worker/codec.h"
#include "services/worker/exif.h"
#include "services/worker/invert.h"
#include "services/worker/ops.h"

#include <errno.h>

/* A JPEG that becomes much smaller is decoded smaller at once: at least twice the size that is wanted. */
static unsigned int choose_shrink(
	const struct picture_head *head, const struct picture_params *params)
{
	unsigned int shrink = 8;
	uint32_t w, h;

	if (head->format != FORMAT_JPEG || (params->op != OP_RESIZE && params->op != OP_THUMBNAIL))
		return 1;
	picture_target(params, head->width, head->height, &w, &h);
	while (shrink > 1 &&
		(head->width / shrink < (uint64_t)w * 2 || head->height / shrink < (uint64_t)h * 2))
		shrink /= 2;
	return shrink;
}

static int operate(struct picture *p, const struct picture_head *head,
	const struct picture_params *params, struct err *err)
{
	const struct kernels *k = kernels_best();
	bool mixes = params->op == OP_RESIZE || params->op == OP_THUMBNAIL || params->op == OP_BLUR;
	bool exchange = exif_exchanges(head->turn);
	uint32_t w, h;
	int r = 0;

	if (mixes && picture_has_alpha(p))
		picture_premultiply(p);
	switch (params->op) {
	case OP_INVERT:
		op_invert(p, k);
		break;
	case OP_GRAYSCALE:
		r = op_grayscale(p, k, err);
		break;
	case OP_RESIZE:
	case OP_THUMBNAIL:
		picture_target(params, head->width, head->height, &w, &h);
		r = op_resize(p, exchange ? h : w, exchange ? w : h, k, err);
		break;
	case OP_BLUR:
		r = op_blur(p, params->radius, k, err);
		break;
	case OP_EDGES:
		r = op_edges(p, k, err);
		break;
	}
	if (r == 0 && mixes && picture_has_alpha(p))
		picture_unpremultiply(p);
	return r;
}

int paint_picture(const void *data, size_t len, const struct picture_params *params,
	const struct picture_limits *limits, struct buf *out, enum picture_format *format,
	struct err *err)
{
	enum picture_format in = picture_sniff(data, len);
	enum picture_format to = params->format == FORMAT_SAME ? in : params->format;
	struct picture_head head;
	struct picture p;
	int r;

	if (in == FORMAT_SAME)
		return err_set(err, EBADMSG, "this is neither a PNG nor a JPEG");
	*format = to;
	if (in == FORMAT_PNG && to == FORMAT_PNG && params->op == OP_INVERT)
		return invert_png(data, len, limits, out, err);
	r = in == FORMAT_PNG ? png_head(data, len, &head, err) : jpeg_head(data, len, &head, err);
	if (r < 0)
		return r;
	head.shrink = choose_shrink(&head, params);
	r = picture_check(&head, params, limits, err);
	if (r < 0)
		return r;
	r = in == FORMAT_PNG ? png_decode(data, len, &head, limits->memory_bytes, &p, err)
			     : jpeg_decode(data, len, &head, &p, err);
	if (r < 0)
		return r;
	r = operate(&p, &head, params, err);
	/* No operation cares how the picture lies: a JPEG keeps it, and says so. */
	if (r == 0 && to == FORMAT_PNG)
		r = op_turn(&p, head.turn, err);
	p.turn = head.turn;
	if (r == 0)
		r = to == FORMAT_PNG ? png_encode(&p, out, err)
				     : jpeg_encode(&p, params->quality, out, err);
	picture_fini(&p);
	return r;
}
