/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of tasks: what is taken is printed as text that is taken again and means the same. */
#include "services/common/picture_params.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture_params p, again;
	char *text = malloc(size + 1), once[PICTURE_PARAMS_BYTES], twice[PICTURE_PARAMS_BYTES];
	struct err err = {0};

	memcpy(text, data, size);
	text[size] = '\0';
	if (picture_params_parse(text, &p, &err) < 0) {
		if (!err.msg[0])
			abort();
	} else {
		picture_params_format(&p, once);
		if (picture_params_parse(once, &again, &err) < 0)
			abort();
		picture_params_format(&again, twice);
		if (strcmp(once, twice) != 0 || again.op != p.op || again.format != p.format)
			abort();
	}
	free(text);
	return 0;
}
