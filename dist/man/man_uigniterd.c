/* SPDX-License-Identifier: Apache-2.0 */
/* uigniterd(8): the options; uigniterd.conf(5): the same as keys, when made as the generator of that page. */
#include "daemon/config.h"
#include "dist/man/page.h"

#ifdef MAN_KEYS
static void print_keys(FILE *out)
{
	struct config_option o;

	for (size_t i = 0; config_option(i, &o); i++) {
		fprintf(out, ".It Cm %s : Ar", o.name);
		page_words(out, o.kind == CONFIG_FLAG ? "true|false" : o.value);
		fputc('\n', out);
		page_sentence(out, o.help);
		if (o.kind == CONFIG_NUMBER)
			fprintf(out, "A number from %u to %u.\n", o.min, o.max);
	}
}
#else
static void print_options(FILE *out)
{
	struct config_option o;

	for (size_t i = 0; config_option(i, &o); i++)
		page_option(out,
			&(struct page_option){.name = o.name, .value = o.value, .help = o.help});
}
#endif

int main(int argc, char **argv)
{
#ifdef MAN_KEYS
	static const struct page_list lists[] = {{"keys", print_keys}, {NULL, NULL}};
#else
	static const struct page_list lists[] = {{"options", print_options}, {NULL, NULL}};
#endif

	return page_main(argc, argv, lists);
}
