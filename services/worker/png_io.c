/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/png_io.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#define CHUNK_MAX_BYTES  (4 * MIB)
#define CHUNKS_MAX       64
#define ALLOCATION_SLACK (1 * MIB) /* libpng's own structures and zlib's windows */

static _Noreturn void on_error(png_structp png, png_const_charp message)
{
	struct png_io *io = png_get_error_ptr(png);

	if (!io->code)
		io->code = EBADMSG;
	snprintf(io->message, sizeof(io->message), "%s", message);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

_Noreturn void png_io_refuse(struct png_io *io, int code, const char *why)
{
	io->code = code;
	on_error(io->png, why);
}

static void on_read(png_structp png, png_bytep out, png_size_t len)
{
	struct png_io *io = png_get_io_ptr(png);

	if (len > io->in_len - io->in_at)
		png_error(png, "the picture is cut off");
	memcpy(out, io->in + io->in_at, len);
	io->in_at += len;
}

static void on_write(png_structp png, png_bytep data, png_size_t len)
{
	struct png_io *io = png_get_io_ptr(png);
	int r = buf_add(io->out, data, len);

	(void)png;
	if (r < 0)
		png_io_refuse(io, -r, r == -EMSGSIZE ? "the result is too large" : "out of memory");
}

static void on_flush(png_structp png)
{
	(void)png;
}

/* A chunk may claim any length: what it claims is not allocated just so. */
static png_voidp on_malloc(png_structp png, png_alloc_size_t len)
{
	struct png_io *io = png_get_mem_ptr(png);

	return len > io->memory_bytes + CHUNK_MAX_BYTES + ALLOCATION_SLACK ? NULL : malloc(len);
}

static void on_free(png_structp png, png_voidp p)
{
	(void)png;
	free(p);
}

static int finish(struct png_io *io, struct err *err)
{
	if (io->png)
		io->info = png_create_info_struct(io->png);
	if (!io->info) {
		io->code = ENOMEM;
		snprintf(io->message, sizeof(io->message), "out of memory");
		return png_io_end(io, err);
	}
	/* Sizes are checked by the owner, who says which one it was. */
	png_set_user_limits(io->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	return 0;
}

int png_io_reader(
	struct png_io *io, const void *data, size_t len, uint64_t memory_bytes, struct err *err)
{
	*io = (struct png_io){.in = data, .in_len = len, .memory_bytes = memory_bytes};
	io->png = png_create_read_struct_2(
		PNG_LIBPNG_VER_STRING, io, on_error, on_warning, io, on_malloc, on_free);
	if (io->png) {
		png_set_read_fn(io->png, io, on_read);
		png_set_chunk_malloc_max(io->png, CHUNK_MAX_BYTES);
		png_set_chunk_cache_max(io->png, CHUNKS_MAX);
		png_set_keep_unknown_chunks(io->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
	}
	return finish(io, err);
}

int png_io_writer(struct png_io *io, struct buf *out, struct err *err)
{
	*io = (struct png_io){.writing = true, .out = out, .memory_bytes = UINT32_MAX};
	io->png = png_create_write_struct_2(
		PNG_LIBPNG_VER_STRING, io, on_error, on_warning, io, on_malloc, on_free);
	if (io->png)
		png_set_write_fn(io->png, io, on_write, on_flush);
	return finish(io, err);
}

void png_io_tune(struct png_io *io, int color, int depth)
{
	bool plain = depth >= 8 && color != PNG_COLOR_TYPE_PALETTE;

	png_set_compression_level(io->png, plain ? 1 : 3);
	if (!plain)
		return;
	png_set_filter(io->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_PAETH);
	png_set_compression_strategy(io->png, Z_RLE);
}

int png_io_end(struct png_io *io, struct err *err)
{
	if (io->writing)
		png_destroy_write_struct(&io->png, &io->info);
	else
		png_destroy_read_struct(&io->png, &io->info, NULL);
	return io->code ? err_set(err, io->code, "%s", io->message) : 0;
}
