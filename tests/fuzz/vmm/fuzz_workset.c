/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a working set: what is accepted is ascending, page-aligned and bounded. */
#include "lib/err.h"
#include "vmm/workset.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct workset set;
	struct err err = {0};
	char *text = malloc(size + 1);
	uint64_t pages = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (workset_parse(text, &set, &err) == 0) {
		for (unsigned i = 0; i < set.nranges; i++) {
			pages += set.range[i].pages;
			if (set.range[i].gpa % 4096 != 0 ||
				(i && set.range[i].gpa <= set.range[i - 1].gpa))
				abort();
		}
		if (set.nranges > WORKSET_RANGES_MAX || pages > WORKSET_PAGES_MAX)
			abort();
		pages = 0;
		for (unsigned i = 0; i < set.nuser; i++) {
			pages += set.user[i].pages;
			if (set.user[i].va % 4096 != 0 ||
				(i &&
					set.user[i].va <
						set.user[i - 1].va + set.user[i - 1].pages * 4096))
				abort();
		}
		if (set.nuser > WORKSET_USER_MAX || pages > WORKSET_USER_PAGES_MAX ||
			pages != set.user_pages)
			abort();
	} else if (err.msg[0] == '\0') {
		abort();
	}
	free(text);
	return 0;
}
