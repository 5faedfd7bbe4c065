/* SPDX-License-Identifier: Apache-2.0 */
/* Capstan's meta/package.yaml and meta/run.yaml. */
#include "cli/image/foreign.h"

#include "lib/jsonx.h"
#include "lib/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define WORDS_MAX 255
#define ENV_MAX   256

struct capstan {
	const struct yaml *run;
	const struct foreign_runtime *runtime;
	const json_t *config, *top;
	char at[300];                     /* pointer of config */
	json_t *args, *env, *files, *cwd; /* owned */
	char program[4096], to[4096];     /* where it is here, where it is in the image; "": here */
	struct err *err;
};

static int _printf_(3, 4) bad(const struct capstan *c, const char *key, const char *fmt, ...)
{
	char what[240], pointer[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(pointer, sizeof(pointer), "%s%s%s", c->at, *key ? "/" : "", key);
	return err_set(c->err, EINVAL, "%s:%d: %s%s%s", c->run->name, yaml_line(c->run, pointer),
		key, *key ? " " : "", what);
}

static int append(struct capstan *c, const char *key, const char *word)
{
	if (json_array_size(c->args) == WORDS_MAX)
		return bad(c, key, "has more than %d words", WORDS_MAX);
	return json_array_append_new(c->args, json_string(word)) ? bad(c, key, "is not UTF-8") : 0;
}

/* A list of texts or numbers, each with `before` in front. */
static int append_list(struct capstan *c, const char *key, const char *before)
{
	const json_t *list = json_object_get(c->config, key);
	int rc = 0;

	if (list && !json_is_null(list) && !json_is_array(list))
		return bad(c, key, "is not a list");
	for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
		const json_t *v = json_array_get(list, i);
		char word[4200];

		if (json_is_integer(v))
			snprintf(word, sizeof(word), "%s%lld", before,
				(long long)json_integer_value(v));
		else if (json_is_string(v) && json_string_length(v) < 4096)
			snprintf(word, sizeof(word), "%s%s",
				*json_string_value(v) == '-' ? "" : before, json_string_value(v));
		else
			return bad(c, key, "holds what is not a text");
		rc = append(c, key, word);
	}
	return rc;
}

static int text_of(struct capstan *c, const char *key, bool needed, const char **text)
{
	const json_t *v = json_object_get(c->config, key);

	*text = json_string_value(v);
	if (!v || json_is_null(v))
		return needed ? bad(c, "", "has no %s", key) : 0;
	if (!*text || !**text || strlen(*text) > 4000)
		return bad(c, key, "is not a text of 1 to 4000 bytes");
	return 0;
}

/* --- runtimes --------------------------------------------------------------------------------------------------- */
static int set_env(struct capstan *c, const char *key, const char *pair)
{
	char name[256];
	size_t n = strcspn(pair, "=");

	if (!n || !pair[n] || n >= sizeof(name) || json_object_size(c->env) == ENV_MAX)
		return bad(c, key, "\"--env=%.60s\" is not NAME=VALUE", pair);
	snprintf(name, sizeof(name), "%.*s", (int)n, pair);
	return json_object_set_new(c->env, name, json_string(pair + n + 1))
		? bad(c, key, "is not UTF-8")
		: 0;
}

/* OSv's own options in front of the program: those that mean something here. */
static int loader_option(struct capstan *c, const char *key, const char *word)
{
	if (!strncmp(word, "--env=", 6))
		return set_env(c, key, word + 6);
	if (strncmp(word, "--cwd=", 6) != 0)
		return bad(c, key, "the option %.60s of OSv's loader is not taken", word);
	json_decref(c->cwd);
	c->cwd = json_string(word + 6);
	return c->cwd ? 0 : bad(c, key, "is not UTF-8");
}

static void set_program(struct capstan *c, const char *word)
{
	size_t n = strcspn(word + (*word == '/'), "/");
	bool packed = false;

	for (size_t i = 0; i < json_array_size(c->top); i++) {
		const char *name = json_string_value(json_array_get(c->top, i));

		packed |= strlen(name) == n && !memcmp(name, word + (*word == '/'), n);
	}
	snprintf(c->program, sizeof(c->program), "%.4000s", word + (packed && *word == '/'));
	snprintf(c->to, sizeof(c->to), "%s%.4000s", *word == '/' ? "" : "/", word);
}

/* Words with blanks between them, double quotes around what has some. */
static int native(struct capstan *c)
{
	const char *key = json_object_get(c->config, "bootcmd") ? "bootcmd" : "main", *p;
	int rc = text_of(c, key, true, &p);

	while (!rc && *(p += strspn(p, " \t\n"))) {
		char word[4096];
		size_t n = 0;
		bool quoted = false;

		for (; *p && (quoted || !isspace((unsigned char)*p)); p++) {
			if (*p == '"')
				quoted = !quoted;
			else
				word[n++] = *p;
		}
		word[n] = '\0';
		if (quoted)
			return bad(c, key, "has a quote that is open");
		if (*c->program)
			rc = append(c, key, word);
		else if (!strncmp(word, "--", 2))
			rc = loader_option(c, key, word);
		else if (n)
			set_program(c, word);
	}
	return rc ? rc : *c->program ? 0 : bad(c, key, "names no program");
}

static int add_file(struct capstan *c, const char *from, const char *to)
{
	return json_array_append_new(c->files, json_pack("{s:s, s:s}", "from", from, "to", to))
		? bad(c, "", "a name is not UTF-8")
		: 0;
}

/* Program and libraries of the machine's own. */
static int use_runtime(struct capstan *c)
{
	int rc = 0;

	snprintf(c->program, sizeof(c->program), "%s", c->runtime->program);
	for (size_t i = 0; i < ARRAY_SIZE(c->runtime->folder) && !rc; i++)
		if (*c->runtime->folder[i])
			rc = add_file(c, c->runtime->folder[i], c->runtime->folder[i]);
	return rc;
}

static int script(struct capstan *c, const char *own_args)
{
	const char *main_file = NULL;
	const json_t *shell = json_object_get(c->config, "shell");
	int rc = use_runtime(c);

	if (!rc)
		rc = append_list(c, own_args, "");
	if (!rc && !json_is_true(shell))
		rc = text_of(c, "main", true, &main_file);
	if (!rc && main_file)
		rc = append(c, "main", main_file);
	return rc ? rc : append_list(c, "args", "");
}

static int node(struct capstan *c)
{
	return script(c, "node_args");
}

static int python(struct capstan *c)
{
	return script(c, "python_args");
}

static int java(struct capstan *c)
{
	const json_t *path = json_object_get(c->config, "classpath");
	const char *main_class;
	char classes[4000] = "";
	int rc = use_runtime(c);

	/* the older word for it leaves the "-" out */
	rc = rc ? rc : append_list(c, "jvm_args", "-");
	rc = rc ? rc : append_list(c, "vmargs", "-");
	for (size_t i = 0; i < json_array_size(path) && !rc; i++) {
		const char *s = json_string_value(json_array_get(path, i));
		size_t n = strlen(classes);

		if (!s || n + strlen(s) + 2 > sizeof(classes))
			return bad(c, "classpath", "is not a list of paths");
		snprintf(classes + n, sizeof(classes) - n, "%s%s", n ? ":" : "", s);
	}
	if (!rc && *classes)
		rc = append(c, "classpath", "-cp") ?: append(c, "classpath", classes);
	rc = rc ? rc : text_of(c, "main", true, &main_class);
	rc = rc ? rc : append(c, "main", main_class);
	return rc ? rc : append_list(c, "args", "");
}

/* --- the set of configurations ---------------------------------------------------------------------------------- */
static int choose(struct capstan *c, const char *wanted)
{
	json_t *set = json_object_get(c->run->root, "config_set");
	const char *name = wanted
		? wanted
		: json_string_value(json_object_get(c->run->root, "config_set_default"));

	if (!json_is_object(set) || !json_object_size(set))
		return bad(c, "config_set", "is not a map of configurations");
	if (!name && json_object_size(set) == 1)
		name = json_object_iter_key(json_object_iter(set));
	if (!name)
		return bad(c, "config_set", "has several: choose one by --config");
	c->config = json_object_get(set, name);
	if (!json_is_object(c->config))
		return bad(c, "config_set", "has no configuration \"%.60s\"", name);
	snprintf(c->at, sizeof(c->at), "/config_set/%.200s", name);
	if (json_object_size(json_object_get(c->config, "base")) ||
		json_string_length(json_object_get(c->config, "base")) ||
		json_array_size(json_object_get(c->config, "base")))
		return bad(c, "base", "names another package, which is not taken");
	return 0;
}

static int environment(struct capstan *c)
{
	json_t *env = json_object_get(c->config, "env");

	if (!env || json_is_null(env))
		return 0;
	if (!json_is_object(env) || json_object_size(env) > ENV_MAX)
		return bad(c, "env", "is not a map of at most %d", ENV_MAX);
	return json_object_update(c->env, env) ? -ENOMEM : 0;
}

static int run_config(struct capstan *c, const char *config)
{
	static const struct {
		const char *name;
		int (*fn)(struct capstan *c);
	} runtimes[] = {{"native", native}, {"node", node}, {"python", python}, {"java", java}};
	const char *runtime = json_string_value(json_object_get(c->run->root, "runtime"));
	int rc = choose(c, config);

	if (!rc)
		rc = environment(c);
	for (size_t i = 0; i < ARRAY_SIZE(runtimes) && !rc; i++)
		if (runtime && !strcmp(runtime, runtimes[i].name))
			return runtimes[i].fn(c);
	if (rc)
		return rc;
	c->at[0] = '\0';
	return bad(c, "runtime", "is not native, node, python or java");
}

/* --- the whole -------------------------------------------------------------------------------------------------- */
static int make_doc(struct capstan *c, const char *name, struct yaml *doc)
{
	json_t *root _cleanup_json_ = NULL;
	int rc = 0;

	for (size_t i = 0; i < json_array_size(c->top) && !rc; i++) {
		const char *from = json_string_value(json_array_get(c->top, i));
		char to[300];

		snprintf(to, sizeof(to), "/%.255s", from);
		if (strcmp(from, c->program) != 0)
			rc = add_file(c, from, to);
	}
	if (rc)
		return rc;
	root = json_pack("{s:s, s:s, s:O, s:O, s:O}", "name", name, "program", c->program, "args",
		c->args, "env", c->env, "files", c->files);
	if (!root || (*c->to && json_object_set_new(root, "to", json_string(c->to))) ||
		(c->cwd && json_object_set(root, "cwd", c->cwd)))
		return bad(c, "", "a text is not UTF-8");
	doc->lines = json_pack("{s:i}", "", yaml_line(c->run, c->at));
	doc->name = c->run->name;
	doc->root = steal_ptr(&root);
	return doc->lines ? 0 : -ENOMEM;
}

int foreign_capstan(const struct yaml *package, const struct yaml *run, const json_t *top,
	const struct foreign_runtime *runtime, const struct foreign *options, struct yaml *doc,
	struct err *err)
{
	const char *name = json_string_value(json_object_get(package->root, "name"));
	struct err own = {0};
	struct yaml made = {0};
	struct capstan c = {.run = run,
		.runtime = runtime,
		.top = top,
		.args = json_array(),
		.env = json_object(),
		.files = json_array(),
		.err = err ? err : &own};
	int rc;

	name = options->name ? options->name : name;
	rc = name ? run_config(&c, options->config)
		  : err_set(c.err, EINVAL, "%s:1: the package has no name", package->name);
	if (!rc)
		rc = make_doc(&c, name, &made);
	json_decref(c.args);
	json_decref(c.env);
	json_decref(c.files);
	json_decref(c.cwd);
	if (rc) {
		yaml_fini(&made);
		return c.err->code ? rc : err_sys(c.err, -rc, "%s", run->name);
	}
	*doc = made;
	return 0;
}
