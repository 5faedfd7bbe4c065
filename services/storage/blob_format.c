/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two formats that storage looks into: the first bytes of a picture (PNG: signature, IHDR, RFC 2083 section 3; JPEG: SOI and the
 * begin of a marker, ITU-T T.81 annex B), and its own trailer:
 *
 *   0  "UIGBLOB1"   8  bytes, little endian   16  CRC-32 of the picture   20  CRC-32 of the 20 bytes before
 */
#include "services/storage/blob.h"

#include <endian.h>
#include <errno.h>
#include <libdeflate.h>
#include <string.h>

static const unsigned char png_head[16] = {
	0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
static const unsigned char jpeg_head[3] = {0xff, 0xd8, 0xff};
static const char magic[8] = {'U', 'I', 'G', 'B', 'L', 'O', 'B', '1'};

enum blob_type blob_type_of(const void *head, size_t len)
{
	if (len >= sizeof(png_head) && memcmp(head, png_head, sizeof(png_head)) == 0)
		return BLOB_PNG;
	if (len >= sizeof(jpeg_head) && memcmp(head, jpeg_head, sizeof(jpeg_head)) == 0)
		return BLOB_JPEG;
	return BLOB_UNKNOWN;
}

static uint32_t sum_of(const unsigned char *data, size_t len)
{
	return libdeflate_crc32(0, data, len);
}

void blob_trailer_make(uint64_t bytes, uint32_t sum, unsigned char out[BLOB_TRAILER_BYTES])
{
	uint64_t n = htole64(bytes);
	uint32_t s = htole32(sum);

	memcpy(out, magic, 8);
	memcpy(out + 8, &n, 8);
	memcpy(out + 16, &s, 4);
	s = htole32(sum_of(out, 20));
	memcpy(out + 20, &s, 4);
}

int blob_trailer_parse(const unsigned char in[BLOB_TRAILER_BYTES], uint64_t file_bytes,
	uint64_t *bytes, uint32_t *sum)
{
	uint64_t n;
	uint32_t s, own;

	memcpy(&n, in + 8, 8);
	memcpy(&s, in + 16, 4);
	memcpy(&own, in + 20, 4);
	n = le64toh(n);
	if (memcmp(in, magic, 8) != 0 || le32toh(own) != sum_of(in, 20) ||
		file_bytes < BLOB_TRAILER_BYTES || n != file_bytes - BLOB_TRAILER_BYTES)
		return -EBADMSG;
	*bytes = n;
	*sum = le32toh(s);
	return 0;
}
