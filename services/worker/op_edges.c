/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/ops.h"

#include "lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A row with one more byte on each side. */
static void load(const struct picture *p, uint32_t y, uint8_t *padded)
{
	const uint8_t *row = p->data + (size_t)p->width * (y < p->height ? y : p->height - 1);

	memcpy(padded + 1, row, p->width);
	padded[0] = row[0];
	padded[p->width + 1] = row[p->width - 1];
}

int op_edges(struct picture *p, const struct kernels *k, struct err *err)
{
	_cleanup_free_ uint8_t *rows = NULL;
	size_t len = (size_t)p->width + 2;
	int r = op_grayscale(p, k, err);

	if (r < 0)
		return r;
	if (p->channels == 2) { /* alpha goes */
		size_t pixels = (size_t)p->width * p->height;

		for (size_t i = 0; i < pixels; i++)
			p->data[i] = p->data[2 * i];
		p->channels = 1;
	}
	rows = malloc(3 * len);
	if (!rows)
		return err_set(err, ENOMEM, "out of memory");
	load(p, 0, rows + 2 * len); /* the row above the first one is the first one */
	load(p, 0, rows);
	for (uint32_t y = 0; y < p->height; y++) {
		load(p, y + 1, rows + (y + 1) % 3 * len);
		k->sobel(p->data + (size_t)p->width * y, rows + (y + 2) % 3 * len + 1,
			rows + y % 3 * len + 1, rows + (y + 1) % 3 * len + 1, p->width);
	}
	return 0;
}
