/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JPEG begins with segments (ff MARKER LENGTH ...); one of them, APP1, may hold "Exif\0\0" and a TIFF file: byte order, 42, where its first
 * directory is; a directory is a count and entries of 12 bytes: tag, type, count, value.
 */
#include "services/worker/exif.h"

#include <string.h>

#define ENTRY_BYTES     12
#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT      3

struct tiff {
	const uint8_t *p;
	size_t len;
	bool big; /* endian */
};

/* 0 beyond the end. */
static uint32_t number(const struct tiff *t, size_t at, size_t bytes)
{
	uint32_t v = 0;

	if (at > t->len || bytes > t->len - at)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | t->p[at + (t->big ? i : bytes - 1 - i)];
	return v;
}

static unsigned int turn_of(const struct tiff *t)
{
	size_t at = number(t, 4, 4), count = number(t, at, 2);

	for (size_t i = 0; i < count && at + 2 + (i + 1) * ENTRY_BYTES <= t->len; i++) {
		size_t entry = at + 2 + i * ENTRY_BYTES;
		uint32_t turn = number(t, entry + 8, 2);

		if (number(t, entry, 2) != TAG_ORIENTATION)
			continue;
		return number(t, entry + 2, 2) == TYPE_SHORT && turn >= 1 && turn <= 8 ? turn : 1;
	}
	return 1;
}

static unsigned int of_segment(const uint8_t *p, size_t len)
{
	struct tiff t = {.p = p + 6, .len = len - 6};

	t.big = memcmp(t.p, "MM", 2) == 0;
	if (!t.big && memcmp(t.p, "II", 2) != 0)
		return 1;
	return number(&t, 2, 2) == 42 ? turn_of(&t) : 1;
}

unsigned int exif_turn(const uint8_t *p, size_t len)
{
	for (size_t at = 2; at + 4 <= len && p[at] == 0xff;) {
		uint8_t marker = p[at + 1];
		size_t bytes;

		if (marker == 0xff) { /* filling */
			at++;
			continue;
		}
		bytes = (size_t)p[at + 2] << 8 | p[at + 3];
		if (marker == 0xda || bytes < 2 || bytes > len - at - 2)
			break;
		if (marker == 0xe1 && bytes >= 16 && memcmp(p + at + 4, "Exif\0", 6) == 0)
			return of_segment(p + at + 4, bytes - 2);
		at += 2 + bytes;
	}
	return 1;
}

void exif_segment(unsigned int turn, uint8_t out[EXIF_TURN_BYTES])
{
	static const uint8_t segment[EXIF_TURN_BYTES] = {0xff, 0xe1, 0, EXIF_TURN_BYTES - 2, 'E',
		'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, TYPE_SHORT,
		0, 0, 0, 1};

	memcpy(out, segment, sizeof(segment));
	out[29] = (uint8_t)turn;
}
