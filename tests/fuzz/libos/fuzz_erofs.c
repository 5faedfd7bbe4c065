/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an image: all of it is read, every name looked up. The copy is exact, so that ASan sees a byte too many. */
#include "libos/fs/erofs.c"
#include "tests/unit/libos/fs/erofs_walk.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *image = malloc(size ? size : 1);

	memcpy(image, data, size);
	erofs_walk(image, size);
	free(image);
	return 0;
}
