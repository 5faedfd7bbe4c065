/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG by libpng, JPEG by libjpeg-turbo. Decoding: read the head, let the caller check it, then decode. Any thread; hostile
 * bytes are the rule: errors are codes with a sentence, never more.
 */
#ifndef SERVICES_WORKER_CODEC_H
#define SERVICES_WORKER_CODEC_H

#include "lib/buf.h"
#include "services/worker/picture.h"

/* Fills head. 0; -EBADMSG: not of the format, broken, or of a kind that is not supported. */
int png_head(const void *data, size_t len, struct picture_head *head, struct err *err);
int jpeg_head(const void *data, size_t len, struct picture_head *head, struct err *err);

/*
 * Decodes into out (which becomes the caller's). head as filled above; of a JPEG the caller may have set shrink. memory_bytes:
 * no single allocation of the codec is larger. 0; -EBADMSG: broken or cut off; -ENOMEM.
 */
int png_decode(const void *data, size_t len, const struct picture_head *head, uint64_t memory_bytes,
	struct picture *out, struct err *err);
int jpeg_decode(const void *data, size_t len, const struct picture_head *head, struct picture *out,
	struct err *err);

/* Appends the file to out, whose limit holds. 0; -EMSGSIZE: over it; -ENOMEM. A JPEG has no alpha: white is behind it. */
int png_encode(const struct picture *p, struct buf *out, struct err *err);
int jpeg_encode(struct picture *p, unsigned int quality, struct buf *out, struct err *err);

#endif
