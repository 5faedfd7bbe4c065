/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tool of the build: manual pages in mdoc(7) are hand-written text around lists that the programs' own tables of options and
 * commands are printed into, so that a page names what its program takes. A line "@NAME@" of the template stands for the list
 * of that name. One generator per program links its table; this part is what they share.
 */
#ifndef DIST_MAN_PAGE_H
#define DIST_MAN_PAGE_H

#include <stdbool.h>
#include <stdio.h>

struct page_list {
	const char *name; /* of "@NAME@"; NULL ends the lists */
	void (*print)(FILE *out);
};

/* main() of a generator: PROGRAM TEMPLATE OUTPUT. A template that names no such list, or not all of them it was given, fails. */
int page_main(int argc, char **argv, const struct page_list *lists);

/* A line of running text: nothing in it is a macro or an escape. */
void page_text(FILE *out, const char *text);
/* The same as a sentence: a capital at the beginning, a full stop at the end. */
void page_sentence(FILE *out, const char *text);
/* Words of a macro's line, each behind a blank, none taken for a macro itself. */
void page_words(FILE *out, const char *words);

struct page_option {
	char letter;       /* 0: none */
	const char *name;  /* without its dashes */
	const char *value; /* NULL or "": none is taken */
	bool may_lack;     /* the value is only taken behind a "=" */
	const char *help;
};

/* ".It" and its text, for a list of ".Bl -tag". */
void page_option(FILE *out, const struct page_option *option);

#endif
