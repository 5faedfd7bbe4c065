/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter(1): the commands and options of the command line's table. */
#include "cli/command.h"
#include "dist/man/page.h"

static void print_options(FILE *out, const struct option_spec *options)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct option_spec *o = options; o->name; o++)
		page_option(out,
			&(struct page_option){.letter = o->letter,
				.name = o->name,
				.value = o->metavar,
				.may_lack = o->implied != NULL,
				.help = o->help});
	fputs(".El\n", out);
}

static void print_example(FILE *out, const char *line)
{
	fputs(".Pp\nExample:\n.Dl", out);
	page_words(out, line);
	fputc('\n', out);
}

static void print_common(FILE *out)
{
	print_options(out, common_options);
}

static void print_commands(FILE *out)
{
	for (const struct command *c = commands; c->name; c++) {
		fputs(".Ss", out);
		page_words(out, c->name);
		fputs("\n.Dl uigniter", out);
		page_words(out, c->name);
		if (c->options)
			page_words(out, "[OPTION...]");
		page_words(out, c->operands);
		fputs("\n.Pp\n", out);
		page_sentence(out, c->summary);
		if (c->detail)
			page_text(out, c->detail);
		if (c->alias) {
			fputs("Also: uigniter", out);
			page_words(out, c->alias);
			fputs(".\n", out);
		}
		if (c->options)
			print_options(out, c->options);
		print_example(out, c->example);
	}
}

int main(int argc, char **argv)
{
	static const struct page_list lists[] = {
		{"common", print_common}, {"commands", print_commands}, {NULL, NULL}};

	return page_main(argc, argv, lists);
}
