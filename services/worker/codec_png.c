/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNGs of all types as 8 bits a sample: palettes and small depths are expanded, 16 bits are rounded, a transparent colour becomes
 * alpha. (Inversion does none of this: invert.c.)
 *
 * libpng reports errors by longjmp: what must be freed stands in struct coder, never in variables of the functions it
 * leaves.
 */
#include "services/worker/codec.h"
#include "services/worker/png_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- reading -------------------------------------------------------------------------------------------------------- */
static void expand(struct png_io *io)
{
	png_set_expand(io->png); /* palette, small gray, tRNS */
	png_set_scale_16(io->png);
	png_set_interlace_handling(io->png);
	png_read_update_info(io->png, io->info);
}

static void read_head(struct png_io *io, struct picture_head *head)
{
	png_byte color;

	png_read_info(io->png, io->info);
	color = png_get_color_type(io->png, io->info);
	*head = (struct picture_head){.width = png_get_image_width(io->png, io->info),
		.height = png_get_image_height(io->png, io->info),
		.format = FORMAT_PNG,
		.whole = png_get_interlace_type(io->png, io->info) != PNG_INTERLACE_NONE,
		.shrink = 1};
	head->channels = (color & PNG_COLOR_MASK_COLOR) ? 3 : 1;
	if ((color & PNG_COLOR_MASK_ALPHA) || png_get_valid(io->png, io->info, PNG_INFO_tRNS))
		head->channels++;
}

int png_head(const void *data, size_t len, struct picture_head *head, struct err *err)
{
	struct png_io io;
	struct picture_head got = {0};
	int r = png_io_reader(&io, data, len, 0, err);

	if (r < 0)
		return r;
	if (setjmp(png_jmpbuf(io.png)) == 0)
		read_head(&io, &got);
	r = png_io_end(&io, err);
	if (r == 0)
		*head = got;
	return r;
}

static void read_rows(struct png_io *io, struct picture *p)
{
	size_t len = picture_row_bytes(p);
	int passes;

	png_read_info(io->png, io->info);
	expand(io);
	if (png_get_rowbytes(io->png, io->info) != len)
		png_error(io->png, "the picture is of an unknown kind");
	passes = png_get_interlace_type(io->png, io->info) == PNG_INTERLACE_NONE
		? 1
		: PNG_INTERLACE_ADAM7_PASSES;
	for (int pass = 0; pass < passes; pass++) {
		for (uint32_t y = 0; y < p->height; y++)
			png_read_row(io->png, p->data + len * y, NULL);
	}
	png_read_end(io->png, NULL); /* a picture without its end is cut off */
}

int png_decode(const void *data, size_t len, const struct picture_head *head, uint64_t memory_bytes,
	struct picture *out, struct err *err)
{
	struct png_io io;
	struct picture p;
	int r = png_io_reader(&io, data, len, memory_bytes, err);

	if (r < 0)
		return r;
	r = picture_make(&p, head->width, head->height, head->channels, err);
	if (r < 0) {
		png_io_end(&io, NULL);
		return r;
	}
	if (head->whole) /* pixels of later passes are read before they are written */
		memset(p.data, 0, picture_row_bytes(&p) * p.height);
	if (setjmp(png_jmpbuf(io.png)) == 0)
		read_rows(&io, &p);
	r = png_io_end(&io, err);
	if (r < 0)
		picture_fini(&p);
	else
		*out = p;
	return r;
}

/* --- writing -------------------------------------------------------------------------------------------------------- */
static void write_rows(struct png_io *io, const struct picture *p)
{
	static const int colors[] = {[1] = PNG_COLOR_TYPE_GRAY,
		[2] = PNG_COLOR_TYPE_GRAY_ALPHA,
		[3] = PNG_COLOR_TYPE_RGB,
		[4] = PNG_COLOR_TYPE_RGB_ALPHA};

	png_set_IHDR(io->png, io->info, p->width, p->height, 8, colors[p->channels],
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_io_tune(io, colors[p->channels], 8);
	png_write_info(io->png, io->info);
	for (uint32_t y = 0; y < p->height; y++)
		png_write_row(io->png, p->data + picture_row_bytes(p) * y);
	png_write_end(io->png, NULL);
}

int png_encode(const struct picture *p, struct buf *out, struct err *err)
{
	struct png_io io;
	int r = png_io_writer(&io, out, err);

	if (r < 0)
		return r;
	if (setjmp(png_jmpbuf(io.png)) == 0)
		write_rows(&io, p);
	return png_io_end(&io, err);
}
