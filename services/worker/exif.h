/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orientation of a JPEG (Exif 2.32, tag 0x0112): how a picture that was taken with the camera on its side is to be shown. Nothing else of
 * Exif is read, and nothing of it (places, names, previews) gets into results.
 *
 *   1 as it lies, 2 mirrored, 3 upside down, 4 both, 5 to 8 the same with rows and columns exchanged
 */
#ifndef SERVICES_WORKER_EXIF_H
#define SERVICES_WORKER_EXIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXIF_TURN_BYTES 36

/* 1 to 8, of the first Exif segment; 1 when there is none, or none that makes sense. Reads hostile bytes. */
unsigned int exif_turn(const uint8_t *jpeg, size_t len);
/* Whether width and height of what is shown are height and width of what lies there. */
static inline bool exif_exchanges(unsigned int turn)
{
	return turn >= 5;
}
/* A segment that says so and nothing else. */
void exif_segment(unsigned int turn, uint8_t out[EXIF_TURN_BYTES]);

#endif
