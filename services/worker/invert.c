/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows are taken as they are stored, without any of libpng's conversions, and every bit of a colour sample is flipped: that is
 * max - v at any depth. A picture goes through row by row; only interlaced ones are held whole.
 *
 * libpng reports errors by longjmp: each function that is called below protect() keeps what must be freed in struct job, never
 * in its own variables.
 */
#include "services/worker/invert.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>

#define CHUNK_MAX_BYTES   (4 * MIB)
#define CHUNKS_MAX        64
#define ALLOCATION_SLACK  (1 * MIB) /* libpng's own structures and zlib's windows */
#define COMPRESSION_LEVEL 3         /* the network is near, the processor dear */

struct job {
	const unsigned char *in;
	size_t in_len, in_at;
	struct buf *out;
	const struct invert_limits *limits;
	png_structp r, w;
	png_infop ri, wi;
	png_bytep row;   /* one row */
	png_bytep *rows; /* interlaced: pointers into pixels */
	png_bytep pixels;
	int code;
	char message[128];
};

static void on_error(png_structp png, png_const_charp message)
{
	struct job *job = png_get_error_ptr(png);

	if (!job->code)
		job->code = EBADMSG;
	snprintf(job->message, sizeof(job->message), "%s", message);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static void on_read(png_structp png, png_bytep out, png_size_t len)
{
	struct job *job = png_get_io_ptr(png);

	if (len > job->in_len - job->in_at)
		png_error(png, "the picture is cut off");
	memcpy(out, job->in + job->in_at, len);
	job->in_at += len;
}

static void on_write(png_structp png, png_bytep data, png_size_t len)
{
	struct job *job = png_get_io_ptr(png);
	int r = buf_add(job->out, data, len);

	if (r < 0) {
		job->code = -r;
		png_error(png, r == -EMSGSIZE ? "the result is too large" : "out of memory");
	}
}

/* A chunk may claim any length: what it claims is not allocated just so. */
static png_voidp on_malloc(png_structp png, png_alloc_size_t len)
{
	struct job *job = png_get_mem_ptr(png);

	return len > job->limits->max_bytes + ALLOCATION_SLACK ? NULL : malloc(len);
}

static void on_free(png_structp png, png_voidp p)
{
	(void)png;
	free(p);
}

static void on_flush(png_structp png)
{
	(void)png;
}

static void refuse(struct job *job, int code, const char *why)
{
	job->code = code;
	png_error(job->r, why);
}

static void *allocate(struct job *job, size_t len)
{
	void *p = malloc(len ? len : 1);

	if (!p)
		refuse(job, ENOMEM, "out of memory");
	return p;
}

static void check_limits(struct job *job)
{
	uint64_t width = png_get_image_width(job->r, job->ri),
		 height = png_get_image_height(job->r, job->ri);

	if (width > job->limits->max_side || height > job->limits->max_side)
		refuse(job, EFBIG, "the picture has too many pixels on a side");
	if (width * height > job->limits->max_pixels)
		refuse(job, EFBIG, "the picture has too many pixels");
	if (png_get_interlace_type(job->r, job->ri) != PNG_INTERLACE_NONE &&
		height * png_get_rowbytes(job->r, job->ri) > job->limits->max_bytes)
		refuse(job, EFBIG, "the interlaced picture is too large");
}

/* Bytes of a pixel to flip and to leave; for packed and palette pictures all, or none. */
static void flip_row(png_bytep row, size_t len, int color, int depth)
{
	size_t sample = depth == 16 ? 2 : 1, colors, pixel;

	if (color == PNG_COLOR_TYPE_PALETTE)
		return;
	if (!(color & PNG_COLOR_MASK_ALPHA)) {
		for (size_t i = 0; i < len; i++)
			row[i] = (png_byte)~row[i];
		return;
	}
	colors = (color & PNG_COLOR_MASK_COLOR ? 3 : 1) * sample;
	pixel = colors + sample;
	for (size_t i = 0; i + pixel <= len; i += pixel) {
		for (size_t k = 0; k < colors; k++)
			row[i + k] = (png_byte)~row[i + k];
	}
}

static void copy_palette(struct job *job)
{
	png_color inverted[PNG_MAX_PALETTE_LENGTH];
	png_colorp palette;
	int n;

	if (png_get_PLTE(job->r, job->ri, &palette, &n) == 0)
		return;
	for (int i = 0; i < n; i++) {
		inverted[i].red = (png_byte)~palette[i].red;
		inverted[i].green = (png_byte)~palette[i].green;
		inverted[i].blue = (png_byte)~palette[i].blue;
	}
	png_set_PLTE(job->w, job->wi, inverted, n);
}

/* The transparent colour of a picture without alpha channel moves with its pixels; alpha of palette entries stays. */
static void copy_transparency(struct job *job, int depth)
{
	png_uint_16 max = (png_uint_16)((1u << depth) - 1);
	png_color_16p color = NULL;
	png_color_16 inverted;
	png_bytep alpha = NULL;
	int n = 0;

	if (png_get_tRNS(job->r, job->ri, &alpha, &n, &color) == 0)
		return;
	if (png_get_color_type(job->r, job->ri) == PNG_COLOR_TYPE_PALETTE) {
		png_set_tRNS(job->w, job->wi, alpha, n, NULL);
		return;
	}
	if (!color)
		return;
	inverted = *color;
	inverted.red = (png_uint_16)(max - (color->red & max));
	inverted.green = (png_uint_16)(max - (color->green & max));
	inverted.blue = (png_uint_16)(max - (color->blue & max));
	inverted.gray = (png_uint_16)(max - (color->gray & max));
	png_set_tRNS(job->w, job->wi, NULL, 0, &inverted);
}

static void copy_color_space(struct job *job)
{
	png_fixed_point gamma, c[8];
	png_uint_32 x, y, profile_len;
	png_charp name;
	png_bytep profile;
	int intent, unit, method;

	if (png_get_iCCP(job->r, job->ri, &name, &method, &profile, &profile_len))
		png_set_iCCP(job->w, job->wi, name, method, profile, profile_len);
	else if (png_get_sRGB(job->r, job->ri, &intent))
		png_set_sRGB(job->w, job->wi, intent);
	if (png_get_gAMA_fixed(job->r, job->ri, &gamma))
		png_set_gAMA_fixed(job->w, job->wi, gamma);
	if (png_get_cHRM_fixed(
		    job->r, job->ri, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7]))
		png_set_cHRM_fixed(job->w, job->wi, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
	if (png_get_pHYs(job->r, job->ri, &x, &y, &unit))
		png_set_pHYs(job->w, job->wi, x, y, unit);
}

static void write_head(struct job *job, int color, int depth)
{
	png_set_IHDR(job->w, job->wi, png_get_image_width(job->r, job->ri),
		png_get_image_height(job->r, job->ri), depth, color, PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	copy_color_space(job);
	copy_palette(job);
	copy_transparency(job, depth);
	png_set_compression_level(job->w, COMPRESSION_LEVEL);
	png_write_info(job->w, job->wi);
}

static void pass_rows(struct job *job, int color, int depth)
{
	size_t len = png_get_rowbytes(job->r, job->ri);
	png_uint_32 height = png_get_image_height(job->r, job->ri);

	job->row = allocate(job, len);
	for (png_uint_32 y = 0; y < height; y++) {
		png_read_row(job->r, job->row, NULL);
		flip_row(job->row, len, color, depth);
		png_write_row(job->w, job->row);
	}
}

static void pass_whole(struct job *job, int color, int depth)
{
	size_t len = png_get_rowbytes(job->r, job->ri);
	png_uint_32 height = png_get_image_height(job->r, job->ri);

	job->pixels = allocate(job, len * height);
	memset(job->pixels, 0, len * height);
	job->rows = allocate(job, height * sizeof(*job->rows));
	for (png_uint_32 y = 0; y < height; y++)
		job->rows[y] = job->pixels + len * y;
	png_read_image(job->r, job->rows);
	for (png_uint_32 y = 0; y < height; y++) {
		flip_row(job->rows[y], len, color, depth);
		png_write_row(job->w, job->rows[y]);
	}
}

static void convert(struct job *job)
{
	int color, depth;

	png_read_info(job->r, job->ri);
	check_limits(job);
	color = png_get_color_type(job->r, job->ri);
	depth = png_get_bit_depth(job->r, job->ri);
	write_head(job, color, depth);
	if (png_get_interlace_type(job->r, job->ri) == PNG_INTERLACE_NONE)
		pass_rows(job, color, depth);
	else
		pass_whole(job, color, depth);
	png_read_end(job->r, NULL); /* a picture without its end is cut off */
	png_write_end(job->w, NULL);
}

static int open_both(struct job *job)
{
	job->r = png_create_read_struct_2(
		PNG_LIBPNG_VER_STRING, job, on_error, on_warning, job, on_malloc, on_free);
	job->w = png_create_write_struct_2(
		PNG_LIBPNG_VER_STRING, job, on_error, on_warning, job, on_malloc, on_free);
	if (!job->r || !job->w)
		return -ENOMEM;
	job->ri = png_create_info_struct(job->r);
	job->wi = png_create_info_struct(job->w);
	if (!job->ri || !job->wi)
		return -ENOMEM;
	png_set_read_fn(job->r, job, on_read);
	png_set_write_fn(job->w, job, on_write, on_flush);
	/* Sizes are checked by check_limits(), which says which one it was. */
	png_set_user_limits(job->r, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_user_limits(job->w, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_chunk_malloc_max(job->r, CHUNK_MAX_BYTES);
	png_set_chunk_cache_max(job->r, CHUNKS_MAX);
	png_set_keep_unknown_chunks(job->r, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
	return 0;
}

/* Both structures jump here: whichever fails. */
static int protect(struct job *job)
{
	if (setjmp(png_jmpbuf(job->r)))
		return -job->code;
	if (setjmp(png_jmpbuf(job->w)))
		return -job->code;
	convert(job);
	return 0;
}

int invert_png(const void *data, size_t len, const struct invert_limits *limits, struct buf *out,
	struct err *err)
{
	struct job job = {.in = data, .in_len = len, .out = out, .limits = limits};
	int r;

	if (len < 8 || png_sig_cmp(data, 0, 8) != 0)
		return err_set(err, EBADMSG, "this is not a PNG");
	r = open_both(&job);
	if (r == 0)
		r = protect(&job);
	else
		snprintf(job.message, sizeof(job.message), "out of memory");
	png_destroy_read_struct(&job.r, &job.ri, NULL);
	png_destroy_write_struct(&job.w, &job.wi);
	free(job.row);
	free(job.rows);
	free(job.pixels);
	return r < 0 ? err_set(err, -r, "%s", job.message) : 0;
}
