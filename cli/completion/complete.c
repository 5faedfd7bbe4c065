/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completion/complete.h"

#include "cli/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The state of a walk over the words before the last one. */
struct line {
	struct completion *out;
	const struct command *command;
	const char *last;                  /* the word at the cursor */
	const struct option_spec *waiting; /* an option that the last word is the value of */
	size_t operands;                   /* before the last word */
	bool only_operands;                /* behind "--" */
};

static bool begins(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

/* A candidate: len bytes of word, when they go on from value; head is what of the last word stands before value. */
static int add(struct line *l, const char *word, size_t len, const char *help)
{
	const char *value = l->out->value;
	size_t typed = strlen(value);
	int head = (int)(value - l->last);

	if (typed > len || memcmp(word, value, typed) != 0)
		return 0;
	return buf_printf(&l->out->lines, "%.*s%.*s%s%s\n", head, l->last, (int)len, word,
		help ? "\t" : "", help ? help : "");
}

/* --- commands -------------------------------------------------------------------------------------------------- */
/* The word of a command's name at the cursor: its first one, or the second one when the first is group. NULL: none. */
static const char *word_at(const char *name, const char *group)
{
	size_t n = group ? strlen(group) : 0;

	if (!name || !group)
		return name;
	return begins(name, group) && name[n] == ' ' ? name + n + 1 : NULL;
}

static bool offered_before(
	const struct command *upto, bool alias, const char *group, const char *word)
{
	size_t len = strcspn(word, " ");

	for (const struct command *c = commands; c != upto; c++) {
		const char *w = word_at(alias ? c->alias : c->name, group);

		if (w && strcspn(w, " ") == len && memcmp(w, word, len) == 0)
			return true;
	}
	return false;
}

static int add_names(struct line *l, bool alias, const char *group)
{
	int r = 0;

	for (const struct command *c = commands; r == 0 && c->name; c++) {
		const char *w = word_at(alias ? c->alias : c->name, group);
		size_t len = w ? strcspn(w, " ") : 0;

		if (w && !offered_before(c, alias, group, w))
			r = add(l, w, len, w[len] ? NULL : c->summary);
	}
	return r;
}

/* Second names only where no first one fits: there is one way to say it that is shown. */
static int add_commands(struct line *l, const char *group)
{
	int r = add_names(l, false, group);

	return r < 0 || l->out->lines.len ? r : add_names(l, true, group);
}

/* --- options and operands -------------------------------------------------------------------------------------- */
static const struct option_spec *find_in(
	const struct option_spec *o, const char *name, size_t len, char letter)
{
	for (; o && o->name; o++) {
		if (letter ? o->letter == letter
			   : strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

static const struct option_spec *find_option(
	const struct line *l, const char *name, size_t len, char letter)
{
	const struct option_spec *o =
		find_in(l->command ? l->command->options : NULL, name, len, letter);

	return o ? o : find_in(common_options, name, len, letter);
}

static bool needs_value(const struct option_spec *o)
{
	return o->kind != VALUE_NONE && !o->implied;
}

static int add_options(struct line *l, const struct option_spec *o)
{
	int r = 0;

	for (; r == 0 && o && o->name; o++) {
		char word[64];
		int n = snprintf(word, sizeof(word), "--%s", o->name);

		r = add(l, word, (size_t)n, o->help);
	}
	return r;
}

/* What a name of the help stands for: "APP|FILE...", "bash|zsh". Words in small letters stand for themselves. */
static int add_kinds(struct line *l, const char *text, size_t len)
{
	static const struct {
		const char *word;
		enum complete_names names;
	} kinds[] = {{"FILE", COMPLETE_FILES}, {"FOLDER", COMPLETE_FILES},
		{"MANIFEST", COMPLETE_FILES}, {"INSTANCE", COMPLETE_INSTANCES},
		{"IMAGE", COMPLETE_IMAGES}, {"APP", COMPLETE_APPS}, {"PROFILE", COMPLETE_PROFILES},
		{"SNAPSHOT", COMPLETE_SNAPSHOTS}};
	const char *end = text + len;
	int r = 0;

	while (r == 0 && text < end) {
		size_t n = 0;

		while (text + n < end && isalpha((unsigned char)text[n]))
			n++;
		if (n && islower((unsigned char)*text))
			r = add(l, text, n, NULL);
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			if (n == strlen(kinds[i].word) && memcmp(text, kinds[i].word, n) == 0)
				l->out->names |= kinds[i].names;
		}
		text += n + 1;
	}
	return r;
}

static int add_value(struct line *l, const struct option_spec *o, const char *value)
{
	l->out->value = value;
	if (o->kind == VALUE_CHOICE)
		return add_kinds(l, o->choices, strlen(o->choices));
	return o->metavar ? add_kinds(l, o->metavar, strlen(o->metavar)) : 0;
}

/* The operand at this place; what may come several times ("...") goes on for ever. */
static int add_operand(struct line *l)
{
	const char *word = l->command->operands;
	size_t len = strcspn(word, " ");

	for (size_t i = 0; i < l->operands; i++) {
		const char *next = word + len + strspn(word + len, " ");

		if (!*next && !memmem(word, len, "...", 3))
			return 0;
		word = *next ? next : word;
		len = strcspn(word, " ");
	}
	return memmem(word, len, "--", 2) ? 0 : add_kinds(l, word, len);
}

/* --- the line -------------------------------------------------------------------------------------------------- */
/* -abc: the last letter may want the next word. */
static const struct option_spec *last_letter(const struct line *l, const char *word)
{
	for (const char *p = word + 1; *p; p++) {
		const struct option_spec *o = find_option(l, NULL, 0, *p);

		if (o && needs_value(o))
			return p[1] ? NULL : o;
	}
	return NULL;
}

/* Takes a word before the last one. */
static void walk(struct line *l, const char *word)
{
	const struct option_spec *o = l->waiting;

	l->waiting = NULL;
	if (o) {
		if (strcmp(o->name, "host") == 0)
			l->out->host = word;
	} else if (l->only_operands || word[0] != '-' || !word[1]) {
		l->operands++;
	} else if (strcmp(word, "--") == 0) {
		l->only_operands = true;
	} else if (word[1] != '-') {
		l->waiting = last_letter(l, word);
		if (begins(word, "-H") && word[2])
			l->out->host = word + 2;
	} else if (begins(word, "--host=")) {
		l->out->host = word + 7;
	} else {
		o = find_option(l, word + 2, strlen(word + 2), 0);
		l->waiting = o && needs_value(o) ? o : NULL;
	}
}

static int at_cursor(struct line *l)
{
	const char *equals = strchr(l->last, '=');
	const struct option_spec *o;
	int r;

	if (l->waiting)
		return add_value(l, l->waiting, l->last);
	if (l->only_operands)
		return l->command->takes_program ? 0 : add_operand(l);
	if (begins(l->last, "--") && equals) {
		o = find_option(l, l->last + 2, (size_t)(equals - l->last) - 2, 0);
		return o && o->kind != VALUE_NONE ? add_value(l, o, equals + 1) : 0;
	}
	if (l->last[0] != '-')
		return add_operand(l);
	r = add_options(l, l->command->options);
	return r < 0 ? r : add_options(l, common_options);
}

/* No command yet: what stands before is options, or the first word of two. */
static int without_command(struct line *l, size_t n, char *const words[])
{
	if (l->waiting)
		return 0;
	if (n == 1 && l->last[0] == '-')
		return add_options(l, common_options);
	if (n == 1)
		return add_commands(l, NULL);
	return n == 2 && command_is_group(words[0]) ? add_commands(l, words[0]) : 0;
}

int complete_words(size_t n, char *const words[], struct completion *completion)
{
	struct line l = {.out = completion, .last = words[n - 1]};
	size_t first = 0;
	int used = 0;

	*completion = (struct completion){.value = l.last};
	while (first + 1 < n && (l.waiting || words[first][0] == '-'))
		walk(&l, words[first++]);
	if (!l.waiting)
		l.command = command_find((int)(n - 1 - first), words + first, &used);
	if (!l.command)
		return without_command(&l, n - first, words + first);
	for (size_t i = first + (size_t)used; i + 1 < n; i++)
		walk(&l, words[i]);
	return at_cursor(&l);
}

void complete_fini(struct completion *completion)
{
	buf_fini(&completion->lines);
}
