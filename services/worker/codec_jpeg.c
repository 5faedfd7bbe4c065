/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libjpeg-turbo's own API: it keeps its longjmp() to itself. A file that ends too soon is a warning to it and half a gray picture;
 * to us it is an error. What cameras append or get wrong without harm (bytes between markers) is none.
 */
#include "services/worker/codec.h"
#include "services/worker/exif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

static void destroy(tjhandle *handle)
{
	if (*handle)
		tjDestroy(*handle);
}

#define _cleanup_tj_ _cleanup_(destroy)

/* Whether the file is progressive: all its coefficients are held until the last scan. Reads markers up to the frame's. */
static bool is_progressive(const uint8_t *p, size_t len)
{
	for (size_t at = 2; at + 4 <= len && p[at] == 0xff;) {
		uint8_t marker = p[at + 1];

		if (marker == 0xff) { /* filling */
			at++;
			continue;
		}
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
			marker != 0xcc)
			return marker != 0xc0 && marker != 0xc1;
		at += 2 + ((size_t)p[at + 2] << 8 | p[at + 3]);
	}
	return true; /* found none: the worse case */
}

int jpeg_head(const void *data, size_t len, struct picture_head *head, struct err *err)
{
	_cleanup_tj_ tjhandle tj = tjInitDecompress();
	int width = 0, height = 0, subsampling = -1, space = -1;
	unsigned int turn = exif_turn(data, len);
	bool exchange = exif_exchanges(turn);

	if (!tj)
		return err_set(err, ENOMEM, "out of memory");
	if (tjDecompressHeader3(tj, data, len, &width, &height, &subsampling, &space) < 0)
		return err_set(err, EBADMSG, "%s", tjGetErrorStr2(tj));
	if (width < 1 || height < 1 ||
		subsampling < 0) /* tables without a picture are no error to it */
		return err_set(err, EBADMSG, "the picture is cut off");
	if (space == TJCS_CMYK || space == TJCS_YCCK)
		return err_set(err, EBADMSG, "JPEGs in CMYK are not supported");
	*head = (struct picture_head){.width = (uint32_t)(exchange ? height : width),
		.height = (uint32_t)(exchange ? width : height),
		.channels = subsampling == TJSAMP_GRAY ? 1 : 3,
		.format = FORMAT_JPEG,
		.whole = is_progressive(data, len),
		.shrink = 1,
		.turn = turn};
	return 0;
}

static bool cut_off(tjhandle tj)
{
	const char *text = tjGetErrorStr2(tj);

	return strstr(text, "remature end") || strstr(text, "orrupt JPEG data: bad");
}

int jpeg_decode(const void *data, size_t len, const struct picture_head *head, struct picture *out,
	struct err *err)
{
	_cleanup_tj_ tjhandle tj = tjInitDecompress();
	bool exchange = exif_exchanges(head->turn);
	uint32_t width = exchange ? head->height : head->width,
		 height = exchange ? head->width : head->height;
	struct picture p;
	int r;

	if (!tj)
		return err_set(err, ENOMEM, "out of memory");
	r = picture_make(&p, (width + head->shrink - 1) / head->shrink,
		(height + head->shrink - 1) / head->shrink, head->channels, err);
	if (r < 0)
		return r;
	r = tjDecompress2(tj, data, len, p.data, (int)p.width, 0, (int)p.height,
		p.channels == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_LIMITSCANS);
	if (r < 0 && (tjGetErrorCode(tj) == TJERR_FATAL || cut_off(tj))) {
		picture_fini(&p);
		return err_set(err, EBADMSG, "%s", tjGetErrorStr2(tj));
	}
	*out = p;
	return 0;
}

/* In place: white behind what is transparent, and no alpha any more. */
static void flatten(struct picture *p)
{
	unsigned int n = p->channels;
	size_t pixels = (size_t)p->width * p->height;
	uint8_t *to = p->data;

	for (const uint8_t *from = p->data; pixels--; from += n) {
		unsigned int alpha = from[n - 1];

		for (unsigned int c = 0; c + 1 < n; c++)
			*to++ = (uint8_t)((from[c] * alpha + 255u * (255 - alpha) + 127) / 255);
	}
	p->channels = n - 1;
}

/* Behind what such a file has to begin with: SOI, and the segment of JFIF. */
static int add_turned(const unsigned char *data, size_t len, unsigned int turn, struct buf *out)
{
	uint8_t segment[EXIF_TURN_BYTES];
	size_t at = 2;

	if (len > 6 && data[2] == 0xff && data[3] == 0xe0)
		at += 2 + ((size_t)data[4] << 8 | data[5]);
	if (at > len)
		at = 2;
	exif_segment(turn, segment);
	return buf_add(out, data, at) ?: buf_add(out, segment, sizeof(segment))
		?: buf_add(out, data + at, len - at);
}

int jpeg_encode(struct picture *p, unsigned int quality, struct buf *out, struct err *err)
{
	_cleanup_tj_ tjhandle tj = tjInitCompress();
	unsigned char *data = NULL;
	unsigned long len = 0;
	int r;

	if (!tj)
		return err_set(err, ENOMEM, "out of memory");
	if (picture_has_alpha(p))
		flatten(p);
	r = tjCompress2(tj, p->data, (int)p->width, 0, (int)p->height,
		p->channels == 1 ? TJPF_GRAY : TJPF_RGB, &data, &len,
		p->channels == 1 ? TJSAMP_GRAY : TJSAMP_420, (int)quality, 0);
	if (r < 0)
		r = err_set(err, EINVAL, "%s", tjGetErrorStr2(tj));
	else
		r = p->turn > 1 ? add_turned(data, len, p->turn, out) : buf_add(out, data, len);
	tjFree(data);
	if (r == -EMSGSIZE)
		return err_set(err, EMSGSIZE, "the result is too large");
	return r == -ENOMEM ? err_set(err, ENOMEM, "out of memory") : r;
}
