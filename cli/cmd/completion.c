/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uigniter completion: the shells' scripts, and what they ask for: the words that could stand at the cursor. A manager that
 * does not answer at once, or names that could not be one, cost a person at a prompt nothing but the names.
 */
#include "cli/completion/complete.h"
#include "cli/verb.h"

#include <ctype.h>
#include <string.h>

#define NAMES_LIMIT_MS 1000

/* Letters, digits and what joins them: nothing that a shell or a terminal would take for something else. */
static bool is_plain(const char *name)
{
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("._-/:", *name))
			return false;
	}
	return true;
}

static void print_names(struct api *api, const char *path, const char *last, const char *value)
{
	const struct api_request request = {.path = path, .limit_ms = NAMES_LIMIT_MS};
	json_t *answer _cleanup_json_ = NULL;
	struct err err = {0};
	json_t *item;
	size_t i;

	if (api_call(api, &request, &answer, &err))
		return;
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name && *name && is_plain(name) && strncmp(name, value, strlen(value)) == 0)
			printf("%.*s%s\n", (int)(value - last), last, name);
	}
}

static void ask_manager(const struct completion *c, const char *host, const char *last)
{
	static const struct {
		enum complete_names kind;
		const char *path;
	} lists[] = {{COMPLETE_INSTANCES, "/vm"}, {COMPLETE_IMAGES, "/image"},
		{COMPLETE_APPS, "/app"}, {COMPLETE_PROFILES, "/pool"},
		{COMPLETE_SNAPSHOTS, "/snapshot"}};
	struct api *api _cleanup_(api_closep) = NULL;
	struct err err = {0};

	if (!(c->names & ~(unsigned)COMPLETE_FILES) ||
		api_open(c->host ? c->host : host, &api, &err))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (c->names & lists[i].kind)
			print_names(api, lists[i].path, last, c->value);
	}
}

static int print_words(const struct invocation *inv)
{
	size_t n = args_program_words(inv->args);
	char **words _cleanup_free_ = calloc(n + 1, sizeof(*words));
	struct completion c = {0};
	int r;

	if (!words)
		return complain(EXIT_FAILED, "out of memory");
	if (!n)
		return complain(
			EXIT_USAGE, "completion: words of a command line are wanted behind --");
	for (size_t i = 0; i < n; i++)
		words[i] = (char *)(uintptr_t)args_program_word(inv->args, i);
	r = complete_words(n, words, &c);
	if (r == 0) {
		fputs(c.lines.data ? c.lines.data : "", stdout);
		ask_manager(&c, inv->host, words[n - 1]);
		if (c.names & COMPLETE_FILES)
			puts(":files");
	}
	complete_fini(&c);
	return r < 0 ? complain(EXIT_FAILED, "out of memory") : EXIT_OK;
}

int cmd_completion(const struct invocation *inv)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = {
		{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
	const char *what = args_operand(inv->args, 0);

	if (!strcmp(what, "words"))
		return print_words(inv);
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		if (strcmp(what, scripts[i].shell) != 0)
			continue;
		fputs(scripts[i].script, stdout);
		return EXIT_OK;
	}
	return complain(EXIT_USAGE,
		"completion: there is none for \"%s\", only for bash, zsh and fish", what);
}
