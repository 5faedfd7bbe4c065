/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libpng on memory, with limits: one structure that reads or writes. Errors jump to png_jmpbuf(io.png), which the caller sets;
 * png_io_end() says then what it was.
 */
#ifndef SERVICES_WORKER_PNG_IO_H
#define SERVICES_WORKER_PNG_IO_H

#include "lib/buf.h"
#include "lib/err.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

struct png_io {
	png_structp png;
	png_infop info;
	bool writing;
	const unsigned char *in;
	size_t in_len, in_at;
	struct buf *out;
	uint64_t memory_bytes;
	int code;
	char message[128];
};

/* Both fill io, which must not move. 0 or -ENOMEM. No allocation of libpng is above memory_bytes and a little. */
int png_io_reader(
	struct png_io *io, const void *data, size_t len, uint64_t memory_bytes, struct err *err);
int png_io_writer(struct png_io *io, struct buf *out, struct err *err);
/* Frees; 0, or the error that was jumped with: -EBADMSG, -EMSGSIZE, -ENOMEM or what png_io_refuse() said. */
int png_io_end(struct png_io *io, struct err *err);
/*
 * How a picture of this colour type and depth is compressed: the network is near, the processor dear. Photographs get one filter and
 * runs only (half the time of the default filters at level 3, and mostly fewer bytes), palettes and small depths level 3.
 */
void png_io_tune(struct png_io *io, int color, int depth);
/* Jumps with a code of its own. */
_Noreturn void png_io_refuse(struct png_io *io, int code, const char *why);

#endif
