/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/man/page.h"

#include "lib/util.h"

#include <ctype.h>
#include <string.h>

#define LINE_MAX_BYTES 4096

/* One character; a dash at the beginning of a word is one that people type. */
static void put(FILE *out, const char *text, size_t at)
{
	char c = text[at];
	bool first = !at || text[at - 1] == ' ' || text[at - 1] == '-' || text[at - 1] == '[';

	if (c == '\\')
		fputs("\\e", out);
	else if (c == '-' && first)
		fputs("\\-", out);
	else
		fputc(c, out);
}

/* The blank between two sentences: each begins a line of its own in mdoc. */
static bool ends_sentence(const char *text, size_t at)
{
	return at >= 2 && text[at] == ' ' && text[at - 1] == '.' && text[at - 2] != '.' &&
		isupper((unsigned char)text[at + 1]);
}

static void put_line(FILE *out, const char *text, const char *end)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (size_t i = 0; text[i]; i++) {
		if (ends_sentence(text, i))
			fputc('\n', out);
		else
			put(out, text, i);
	}
	fprintf(out, "%s\n", end);
}

void page_text(FILE *out, const char *text)
{
	put_line(out, text, "");
}

void page_sentence(FILE *out, const char *text)
{
	fputc(toupper((unsigned char)*text), out);
	put_line(out, text + 1, text[strlen(text) - 1] == '.' ? "" : ".");
}

void page_words(FILE *out, const char *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (words[i] == ' ')
			continue;
		if (!i || words[i - 1] == ' ')
			fputs(" \\&", out);
		put(out, words, i);
	}
}

void page_option(FILE *out, const struct page_option *o)
{
	fputs(".It", out);
	if (o->letter)
		fprintf(out, " Fl %c ,", o->letter);
	fprintf(out, " Fl -%s", o->name);
	if (o->value && *o->value) {
		fputs(o->may_lack ? " Ns Oo = Ns Ar" : " Ar", out);
		page_words(out, o->value);
		fputs(o->may_lack ? " Oc" : "", out);
	}
	fputc('\n', out);
	page_text(out, o->help);
}

/* -1: a line of the kind "@NAME@" whose list is not there. */
static int expand(FILE *out, char *line, const struct page_list *lists, unsigned *used)
{
	size_t n = strcspn(line, "\n");

	if (line[0] != '@' || n < 3 || line[n - 1] != '@') {
		fputs(line, out);
		return 0;
	}
	line[n - 1] = '\0';
	for (size_t i = 0; lists[i].name; i++) {
		if (strcmp(lists[i].name, line + 1) == 0) {
			lists[i].print(out);
			*used |= 1u << i;
			return 0;
		}
	}
	fprintf(stderr, "man: there is no list %s\n", line + 1);
	return -1;
}

static int fill_in(FILE *in, FILE *out, const struct page_list *lists)
{
	char line[LINE_MAX_BYTES];
	unsigned used = 0;

	while (fgets(line, sizeof(line), in)) {
		if (expand(out, line, lists, &used) < 0)
			return -1;
	}
	for (size_t i = 0; lists[i].name; i++) {
		if (!(used & 1u << i)) {
			fprintf(stderr, "man: the list %s stands nowhere\n", lists[i].name);
			return -1;
		}
	}
	return ferror(in) || ferror(out) ? -1 : 0;
}

int page_main(int argc, char **argv, const struct page_list *lists)
{
	_cleanup_fclose_ FILE *in = argc == 3 ? fopen(argv[1], "re") : NULL;
	_cleanup_fclose_ FILE *out = in ? fopen(argv[2], "we") : NULL;

	if (!out || fill_in(in, out, lists) < 0 || fflush(out)) {
		fprintf(stderr, "man: cannot make %s\n", argc == 3 ? argv[2] : "a page");
		return 1;
	}
	return 0;
}
