/* SPDX-License-Identifier: Apache-2.0 */
/* uvmm(1): the options of its table. */
#include "dist/man/page.h"
#include "vmm/options.h"

static void print_options(FILE *out)
{
	struct options_row row;

	for (size_t i = 0; options_row(i, &row); i++)
		page_option(out,
			&(struct page_option){
				.name = row.name, .value = row.arg, .help = row.help});
}

int main(int argc, char **argv)
{
	static const struct page_list lists[] = {{"options", print_options}, {NULL, NULL}};

	return page_main(argc, argv, lists);
}
