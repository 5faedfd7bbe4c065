/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/exif.h"
#include "services/worker/ops.h"

#include <string.h>

int op_turn(struct picture *p, unsigned int turn, struct err *err)
{
	bool exchange = exif_exchanges(turn),
	     left = turn == 2 || turn == 3 || turn == 7 || turn == 8,
	     down = turn == 3 || turn == 4 || turn == 6 || turn == 7;
	unsigned int n = p->channels;
	struct picture to;
	int r;

	if (turn <= 1)
		return 0;
	r = picture_make(
		&to, exchange ? p->height : p->width, exchange ? p->width : p->height, n, err);
	if (r < 0)
		return r;
	for (uint32_t y = 0; y < to.height; y++) {
		uint8_t *out = to.data + y * picture_row_bytes(&to);

		for (uint32_t x = 0; x < to.width; x++, out += n) {
			uint32_t from_x = exchange ? y : x, from_y = exchange ? x : y;

			from_x = left ? p->width - 1 - from_x : from_x;
			from_y = down ? p->height - 1 - from_y : from_y;
			memcpy(out, p->data + from_y * picture_row_bytes(p) + (size_t)from_x * n,
				n);
		}
	}
	picture_fini(p);
	*p = to;
	return 0;
}
