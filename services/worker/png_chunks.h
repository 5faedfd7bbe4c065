/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunks of a PNG behind its head (PNG specification, section 5.3), for who wants the compressed pixels in one piece: libpng hands out
 * rows only. What is in any way unusual is not judged here: the answer is "not that simple", and libpng reads the picture.
 */
#ifndef SERVICES_WORKER_PNG_CHUNKS_H
#define SERVICES_WORKER_PNG_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * png[0..len) is what comes from the first IDAT chunk on, beginning with its length. True when there are IDAT chunks in a row, then others that may be
 * left out, then IEND, all with the right checksums; *idat is the number of bytes in the IDAT chunks together.
 */
bool png_chunks_simple(const uint8_t *png, size_t len, size_t *idat);
/* Then: copies those bytes. out has room for them. */
void png_chunks_copy(const uint8_t *png, uint8_t *out, size_t idat);

#endif
