/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows are taken as they are stored, without any of libpng's conversions, and every bit of a colour sample is flipped: that is
 * max - v at any depth. libpng reads and writes what comes before the pixels. The pixels
 *
 *   of a picture of ordinary size    are decompressed in one piece (libdeflate), inverted as they are filtered (png_rows.h), and compressed (png_pack.h):
 *                                    a fifth of the time; whatever is unusual about it is left to libpng
 *   of a large one                   go through libpng row by row: any size takes the memory of a few rows
 *   of an interlaced one             go through libpng and are held whole
 *
 * libpng reports errors by longjmp: each function that is called below convert() keeps what must be freed in struct job, never
 * in its own variables.
 */
#include "services/worker/invert.h"

#include "services/worker/kernels.h"
#include "services/worker/png_chunks.h"
#include "services/worker/png_io.h"
#include "services/worker/png_pack.h"
#include "services/worker/png_rows.h"

#include <errno.h>
#include <libdeflate.h>
#include <string.h>

#define WHOLE_MAX_BYTES (32 * MIB) /* decompressed */
#define DEFLATE_RATIO   1032       /* no stream of deflate gives more bytes for one */
#define CHUNK_HEAD      8

struct job {
	struct png_io r, w;
	const struct picture_limits *limits;
	const struct kernels *kernels;
	png_bytep row;   /* one row */
	png_bytep *rows; /* interlaced: pointers into pixels */
	png_bytep pixels;
	/* of a picture in one piece: */
	uint8_t *packed, *data; /* all IDATs; filtered rows */
	struct libdeflate_decompressor *inflate;
	struct png_pack pack;
};

static void *allocate(struct job *job, size_t len)
{
	void *p = malloc(len ? len : 1);

	if (!p)
		png_io_refuse(&job->r, ENOMEM, "out of memory");
	return p;
}

static void check_limits(struct job *job)
{
	static const struct picture_params params = {.op = OP_INVERT};
	size_t row = png_get_rowbytes(job->r.png, job->r.info);
	struct picture_head head = {.width = png_get_image_width(job->r.png, job->r.info),
		.height = png_get_image_height(job->r.png, job->r.info),
		.shrink = 1};
	struct err err;

	/* Row by row it needs no memory to speak of, whatever its size. */
	if (picture_check(&head, &params, job->limits, &err) < 0)
		png_io_refuse(&job->r, EFBIG, err.msg);
	if (png_get_interlace_type(job->r.png, job->r.info) != PNG_INTERLACE_NONE &&
		(uint64_t)head.height * row > job->limits->memory_bytes)
		png_io_refuse(&job->r, EFBIG, "the interlaced picture is too large");
}

/* Which bits of a pixel are flipped: all of colours, none of alpha; palettes are inverted in the palette. */
static void make_mask(png_byte *mask, int color, int depth)
{
	size_t sample = depth == 16 ? 2 : 1, colors, pixel;

	memset(mask, color == PNG_COLOR_TYPE_PALETTE ? 0 : 0xff, KERNEL_MASK_BYTES);
	if (!(color & PNG_COLOR_MASK_ALPHA))
		return;
	colors = (color & PNG_COLOR_MASK_COLOR ? 3 : 1) * sample;
	pixel = colors + sample; /* 2, 4 or 8 bytes */
	for (size_t i = 0; i < KERNEL_MASK_BYTES; i++)
		mask[i] = i % pixel < colors ? 0xff : 0;
}

static void copy_palette(struct job *job)
{
	png_color inverted[PNG_MAX_PALETTE_LENGTH];
	png_colorp palette;
	int n;

	if (png_get_PLTE(job->r.png, job->r.info, &palette, &n) == 0)
		return;
	for (int i = 0; i < n; i++) {
		inverted[i].red = (png_byte)~palette[i].red;
		inverted[i].green = (png_byte)~palette[i].green;
		inverted[i].blue = (png_byte)~palette[i].blue;
	}
	png_set_PLTE(job->w.png, job->w.info, inverted, n);
}

/* The transparent colour of a picture without alpha channel moves with its pixels; alpha of palette entries stays. */
static void copy_transparency(struct job *job, int depth)
{
	png_uint_16 max = (png_uint_16)((1u << depth) - 1);
	png_color_16p color = NULL;
	png_color_16 inverted;
	png_bytep alpha = NULL;
	int n = 0;

	if (png_get_tRNS(job->r.png, job->r.info, &alpha, &n, &color) == 0)
		return;
	if (png_get_color_type(job->r.png, job->r.info) == PNG_COLOR_TYPE_PALETTE) {
		png_set_tRNS(job->w.png, job->w.info, alpha, n, NULL);
		return;
	}
	if (!color)
		return;
	inverted = *color;
	inverted.red = (png_uint_16)(max - (color->red & max));
	inverted.green = (png_uint_16)(max - (color->green & max));
	inverted.blue = (png_uint_16)(max - (color->blue & max));
	inverted.gray = (png_uint_16)(max - (color->gray & max));
	png_set_tRNS(job->w.png, job->w.info, NULL, 0, &inverted);
}

static void copy_color_space(struct job *job)
{
	png_fixed_point gamma, c[8];
	png_uint_32 x, y, profile_len;
	png_charp name;
	png_bytep profile;
	int intent, unit, method;

	if (png_get_iCCP(job->r.png, job->r.info, &name, &method, &profile, &profile_len))
		png_set_iCCP(job->w.png, job->w.info, name, method, profile, profile_len);
	else if (png_get_sRGB(job->r.png, job->r.info, &intent))
		png_set_sRGB(job->w.png, job->w.info, intent);
	if (png_get_gAMA_fixed(job->r.png, job->r.info, &gamma))
		png_set_gAMA_fixed(job->w.png, job->w.info, gamma);
	if (png_get_cHRM_fixed(job->r.png, job->r.info, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5],
		    &c[6], &c[7]))
		png_set_cHRM_fixed(
			job->w.png, job->w.info, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
	if (png_get_pHYs(job->r.png, job->r.info, &x, &y, &unit))
		png_set_pHYs(job->w.png, job->w.info, x, y, unit);
}

static void write_head(struct job *job, int color, int depth)
{
	png_set_IHDR(job->w.png, job->w.info, png_get_image_width(job->r.png, job->r.info),
		png_get_image_height(job->r.png, job->r.info), depth, color, PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	copy_color_space(job);
	copy_palette(job);
	copy_transparency(job, depth);
	png_io_tune(&job->w, color, depth);
	png_write_info(job->w.png, job->w.info);
}

static void pass_rows(struct job *job, const png_byte *mask)
{
	size_t len = png_get_rowbytes(job->r.png, job->r.info);
	png_uint_32 height = png_get_image_height(job->r.png, job->r.info);

	job->row = allocate(job, len);
	for (png_uint_32 y = 0; y < height; y++) {
		png_read_row(job->r.png, job->row, NULL);
		job->kernels->mask(job->row, len, mask);
		png_write_row(job->w.png, job->row);
	}
}

static void pass_whole(struct job *job, const png_byte *mask)
{
	size_t len = png_get_rowbytes(job->r.png, job->r.info);
	png_uint_32 height = png_get_image_height(job->r.png, job->r.info);

	job->pixels = allocate(job, len * height);
	memset(job->pixels, 0, len * height);
	job->rows = allocate(job, height * sizeof(*job->rows));
	for (png_uint_32 y = 0; y < height; y++)
		job->rows[y] = job->pixels + len * y;
	png_read_image(job->r.png, job->rows);
	for (png_uint_32 y = 0; y < height; y++) {
		job->kernels->mask(job->rows[y], len, mask);
		png_write_row(job->w.png, job->rows[y]);
	}
}

/* --- in one piece ----------------------------------------------------------------------------------------------------- */
/* The filtered rows, or false: not that simple. Behind png_read_info(), which has read the head of the first IDAT. */
static bool unpack(struct job *job, size_t raw)
{
	const uint8_t *from = job->r.in + job->r.in_at - CHUNK_HEAD;
	size_t len = job->r.in_len - job->r.in_at + CHUNK_HEAD, packed;

	if (raw > WHOLE_MAX_BYTES || raw > job->limits->memory_bytes / 4 ||
		!png_chunks_simple(from, len, &packed) || raw / DEFLATE_RATIO > packed)
		return false;
	job->packed = allocate(job, packed);
	png_chunks_copy(from, job->packed, packed);
	job->data = allocate(job, raw);
	job->inflate = libdeflate_alloc_decompressor();
	return job->inflate &&
		libdeflate_zlib_decompress(job->inflate, job->packed, packed, job->data, raw,
			NULL) == LIBDEFLATE_SUCCESS;
}

static void write_data(void *arg, const uint8_t *data, size_t len)
{
	struct job *job = arg;

	png_write_chunk(job->w.png, (png_const_bytep) "IDAT", data, len);
}

static bool pass_in_one(struct job *job, const png_byte *mask)
{
	size_t row = png_get_rowbytes(job->r.png, job->r.info),
	       bits = (size_t)png_get_bit_depth(job->r.png, job->r.info) *
		png_get_channels(job->r.png, job->r.info);
	struct png_rows rows = {.row_bytes = row,
		.height = png_get_image_height(job->r.png, job->r.info),
		.pixel_bytes = bits < 8 ? 1 : bits / 8,
		.mask = mask,
		.kernels = job->kernels};
	size_t raw = (row + 1) * rows.height;

	rows.data = unpack(job, raw) ? job->data : NULL;
	free(steal_ptr(&job->packed));
	if (!rows.data || !png_rows_valid(&rows)) {
		free(steal_ptr(&job->data));
		return false;
	}
	if (png_rows_invert(&rows) < 0 || png_pack_begin(&job->pack) < 0)
		png_io_refuse(&job->r, ENOMEM, "out of memory");
	job->pack.out = write_data;
	job->pack.arg = job;
	png_pack_all(&job->pack, job->data, raw);
	png_write_chunk(job->w.png, (png_const_bytep) "IEND", NULL, 0);
	return true;
}

static void convert(struct job *job)
{
	png_byte mask[KERNEL_MASK_BYTES];
	int color, depth;

	png_read_info(job->r.png, job->r.info);
	check_limits(job);
	color = png_get_color_type(job->r.png, job->r.info);
	depth = png_get_bit_depth(job->r.png, job->r.info);
	make_mask(mask, color, depth);
	write_head(job, color, depth);
	if (png_get_interlace_type(job->r.png, job->r.info) != PNG_INTERLACE_NONE)
		pass_whole(job, mask);
	else if (pass_in_one(job, mask))
		return;
	else
		pass_rows(job, mask);
	png_read_end(job->r.png, NULL); /* a picture without its end is cut off */
	png_write_end(job->w.png, NULL);
}

int invert_png(const void *data, size_t len, const struct picture_limits *limits, struct buf *out,
	struct err *err)
{
	struct job job = {.limits = limits, .kernels = kernels_best()};
	int r = png_io_reader(&job.r, data, len, limits->memory_bytes, err), w;

	if (r < 0)
		return r;
	r = png_io_writer(&job.w, out, err);
	if (r < 0) {
		png_io_end(&job.r, NULL);
		return r;
	}
	/* Both structures jump here: whichever fails. */
	if (setjmp(png_jmpbuf(job.r.png)) == 0 && setjmp(png_jmpbuf(job.w.png)) == 0)
		convert(&job);
	r = png_io_end(&job.r, err);
	w = png_io_end(&job.w, r < 0 ? NULL : err);
	free(job.row);
	free(job.rows);
	free(job.pixels);
	free(job.packed);
	free(job.data);
	libdeflate_free_decompressor(job.inflate);
	deflateEnd(&job.pack.z);
	return r < 0 ? r : w;
}
