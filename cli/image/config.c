/* SPDX-License-Identifier: Apache-2.0 */
/* What a checked manifest becomes: the image's own argument line, and the configuration for the manager. */
#include "cli/image/manifest.h"

#include "lib/buf.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

/* The argument line of abi/identity.h, UIG_IDENTITY_ARGS_MAX with its NUL: a unit test holds the two together. */
const unsigned int manifest_cmdline_max = 0x4000 - 256 - 1;

int manifest_program_path(const json_t *manifest, char **path)
{
	const char *program = json_string_value(json_object_get(manifest, "program"));
	const char *slash = strrchr(program, '/');
	const char *to = json_string_value(json_object_get(manifest, "to"));

	if (to)
		*path = strdup(to);
	else if (*program == '/')
		*path = strdup(program);
	else if (asprintf(path, "/bin/%s", slash ? slash + 1 : program) < 0)
		*path = NULL;
	return *path ? 0 : -ENOMEM;
}

/* A word of the grammar of abi/identity.h: in double quotes when it has blanks, quotes or backslashes. */
static int add_word(struct buf *line, const char *prefix, const char *key, const char *value)
{
	bool quote = !*value || value[strcspn(value, " \t\"\\")];
	int rc = buf_printf(line, "%s%s%s%s", line->len ? " " : "", quote ? "\"" : "", prefix, key);

	for (; *value && !rc; value++) {
		if (*value == '"' || *value == '\\')
			rc = buf_addstr(line, "\\");
		if (!rc)
			rc = buf_add(line, value, 1);
	}
	return rc || !quote ? rc : buf_addstr(line, "\"");
}

static int add_env(struct buf *line, json_t *env)
{
	const char *key;
	json_t *v;
	int rc = 0;

	json_object_foreach(env, key, v)
	{
		char prefix[300];

		if (rc)
			break;
		snprintf(prefix, sizeof(prefix), "%.255s=", key);
		rc = add_word(line, "env=", prefix, json_string_value(v));
	}
	return rc;
}

int argument_line(json_t *env, const char *cwd, const json_t *words, char **line, struct err *err)
{
	struct buf text _cleanup_buf_ = {.max = manifest_cmdline_max};
	int rc = add_env(&text, env);

	if (!rc && cwd && strcmp(cwd, "/") != 0)
		rc = add_word(&text, "cwd=", "", cwd);
	if (!rc)
		rc = add_word(&text, "", "", "--");
	for (size_t i = 0; i < json_array_size(words) && !rc; i++)
		rc = add_word(&text, "", "", json_string_value(json_array_get(words, i)));
	if (rc == -EMSGSIZE)
		return err_set(err, EMSGSIZE, "args and env are longer than %u bytes together",
			manifest_cmdline_max);
	if (rc)
		return err_sys(err, -rc, "cannot write the argument line");
	*line = steal_ptr(&text.data);
	return 0;
}

static json_t *command_words(const json_t *manifest)
{
	char *program _cleanup_free_ = NULL;
	json_t *cmd = json_array();

	if (manifest_program_path(manifest, &program) ||
		json_array_append_new(cmd, json_string(program)) ||
		(json_object_get(manifest, "args") &&
			json_array_extend(cmd, json_object_get(manifest, "args")))) {
		json_decref(cmd);
		return NULL;
	}
	return cmd;
}

int manifest_cmdline(const json_t *manifest, char **line, struct err *err)
{
	json_t *words _cleanup_json_ = command_words(manifest);

	if (!words)
		return err_set(err, ENOMEM, "out of memory");
	return argument_line(json_object_get(manifest, "env"),
		json_string_value(json_object_get(manifest, "cwd")), words, line, err);
}

json_t *manifest_config(const json_t *manifest, const char *program)
{
	static const char *const same[] = {"env", "memory_mib", "ports", "labels"};
	const json_t *tcp = json_object_get(json_object_get(manifest, "readiness"), "tcp");
	const json_t *warm = json_object_get(manifest, "warm");
	json_t *config _cleanup_json_ = json_object();
	int rc = json_object_set_new(config, "cmd", command_words(manifest));

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (json_object_get(manifest, same[i]))
			rc |= json_object_set(config, same[i], json_object_get(manifest, same[i]));
	if (tcp)
		rc |= json_object_set_new(config, "readiness", json_pack("{s:O}", "port", tcp));
	if (warm)
		rc |= json_object_set_new(config, "warm",
			json_pack("{s:O, s:O*}", "path", json_object_get(warm, "http"), "requests",
				json_object_get(warm, "requests")));
	rc |= json_object_set_new(config, "process", json_pack("{s:s}", "program", program));
	return rc ? NULL : steal_ptr(&config);
}
