/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of a container image as ours. What is not fit for it (a variable with a strange name, a UDP port, labels that
 * are too long) is left out; what the program cannot do without is an error.
 */
#include "cli/image/import.h"

#include "cli/image/layer.h"
#include "cli/image/manifest.h"
#include "lib/buf.h"
#include "lib/jsonx.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define WORDS_MAX    255
#define ENV_MAX      256
#define PORTS_MAX    64
#define LABELS_MAX   64
#define LABEL_BYTES  4000 /* of all: the configuration goes to the manager in a header */
#define TEXT_BYTES   4096
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct found {
	const struct root *root;
	const char *folder; /* WorkingDir, or "/" */
	const char *way;    /* PATH */
	struct err *err;
};

/* --- the program ------------------------------------------------------------------------------------------------ */
/* An executable file at an absolute path of the image: its descriptor, or -errno. */
static int open_program(const struct root *root, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & 0111))
		return fd;
	close(fd);
	return -EACCES;
}

/* word -> absolute path in the image, and its descriptor; or -errno. */
static int search(const struct found *f, const char *word, char path[TEXT_BYTES])
{
	int fd = -ENOENT;

	if (*word == '/')
		return snprintf(path, TEXT_BYTES, "%s", word) < TEXT_BYTES
			? open_program(f->root, path)
			: -ENAMETOOLONG;
	if (strchr(word, '/'))
		return snprintf(path, TEXT_BYTES, "%s/%s", strcmp(f->folder, "/") ? f->folder : "",
			       word) < TEXT_BYTES
			? open_program(f->root, path)
			: -ENAMETOOLONG;
	for (const char *p = f->way; *p && fd < 0; p += strspn(p, ":")) {
		size_t n = strcspn(p, ":");

		if (*p == '/' && n && n + strlen(word) + 2 < TEXT_BYTES) {
			snprintf(path, TEXT_BYTES, "%.*s/%s", (int)n, p, word);
			fd = open_program(f->root, path);
		}
		p += n;
	}
	return fd;
}

/* The words of a script's first line: its interpreter and at most one argument, in text. 0: it is no script. */
static int script_words(int fd, char text[256], char *word[2])
{
	ssize_t n = pread(fd, text, 255, 0);
	char *save;

	if (n < 3 || text[0] != '#' || text[1] != '!')
		return 0;
	text[n] = '\0';
	n = (ssize_t)strcspn(text, "\n");
	while (n > 2 && strchr(" \t\r", text[n - 1]))
		n--;
	text[n] = '\0';
	word[0] = strtok_r(text + 2, " \t\r", &save);
	word[1] = strtok_r(NULL, "", &save);
	if (word[1])
		word[1] += strspn(word[1], " \t");
	if (word[1] && !*word[1])
		word[1] = NULL;
	return word[0] ? 1 + (word[1] != NULL) : 0;
}

/* "/usr/bin/env node" would start another program: node is meant. */
static void skip_env(char *word[2], int *n)
{
	size_t len = strlen(word[0]);

	if (*n < 2 || len < 4 || strcmp(word[0] + len - 4, "/env") != 0 || *word[1] == '-')
		return;
	word[0] = word[1];
	word[1] = NULL;
	*n = 1;
}

static int no_program(const struct found *f, const char *word, int rc)
{
	return err_set(f->err, -rc, "the image has no program \"%.200s\": %s", word, strerror(-rc));
}

/* Replaces the first word by where the program is; that of a script by its interpreter and itself. */
static int resolve_program(const struct found *f, json_t *words)
{
	char path[TEXT_BYTES], text[256], interpreter[TEXT_BYTES];
	const char *word = json_string_value(json_array_get(words, 0));
	char *part[2];
	int fd _cleanup_close_ = search(f, word, path), again _cleanup_close_ = -1;
	int n;

	if (fd < 0)
		return no_program(f, word, fd);
	n = script_words(fd, text, part);
	if (json_array_set_new(words, 0, json_string(path)))
		return err_set(f->err, EINVAL, "the program's path is not UTF-8");
	if (!n)
		return 0;
	skip_env(part, &n);
	again = search(f, part[0], interpreter);
	if (again < 0)
		return no_program(f, part[0], again);
	if (n == 2 && json_array_insert_new(words, 0, json_string(part[1])))
		return err_set(f->err, EINVAL, "the script's first line is not UTF-8");
	return json_array_insert_new(words, 0, json_string(interpreter)) ? -ENOMEM : 0;
}

/* --- words and environment -------------------------------------------------------------------------------------- */
static bool is_text(const json_t *v)
{
	return json_is_string(v) && json_string_length(v) < TEXT_BYTES;
}

static int append_words(json_t *words, const json_t *list, struct err *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *word = json_array_get(list, i);

		if (!is_text(word) || json_array_size(words) == WORDS_MAX)
			return err_set(err, EINVAL,
				"Entrypoint and Cmd: at most %d words are taken", WORDS_MAX);
		if (json_array_append(words, word))
			return err_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int command(const json_t *oci, const char *const *given, json_t *words, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; given && given[i]; i++)
		if (json_array_append_new(words, json_string(given[i])))
			return err_set(err, EINVAL, "a word of the command is not UTF-8");
	if (!given) {
		rc = append_words(words, json_object_get(oci, "Entrypoint"), err);
		if (!rc)
			rc = append_words(words, json_object_get(oci, "Cmd"), err);
	}
	if (!rc && (!json_array_size(words) || !json_string_length(json_array_get(words, 0))))
		return err_set(err, EINVAL, "the image names no program: add -- PROGRAM ARG...");
	return rc;
}

static bool is_env_name(const char *s, size_t n)
{
	if (!n || isdigit((unsigned char)*s))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return true;
}

static int environment(const json_t *oci, json_t *env, struct err *err)
{
	const json_t *list = json_object_get(oci, "Env");
	int rc = json_object_set_new(env, "PATH", json_string(PATH_DEFAULT));

	for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
		const json_t *v = json_array_get(list, i);
		const char *text = is_text(v) ? json_string_value(v) : "";
		size_t n = strcspn(text, "=");
		char name[TEXT_BYTES];

		if (!text[n] || !is_env_name(text, n) || json_object_size(env) == ENV_MAX)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)n, text);
		rc = json_object_set_new(env, name, json_string(text + n + 1));
	}
	return rc ? err_set(err, ENOMEM, "out of memory") : 0;
}

/* --- the rest --------------------------------------------------------------------------------------------------- */
/* "80/tcp" or "80"; 0 for any other. */
static json_int_t port_of(const char *key)
{
	char *end;
	long n = isdigit((unsigned char)*key) ? strtol(key, &end, 10) : 0;

	return n >= 1 && n <= 65535 && (!*end || !strcmp(end, "/tcp")) ? n : 0;
}

static json_t *ports(const json_t *oci)
{
	json_t *exposed = json_object_get(oci, "ExposedPorts"), *v, *list = json_array();
	const char *key;

	json_object_foreach(exposed, key, v)
	{
		json_int_t port = port_of(key);
		size_t at = 0;

		while (at < json_array_size(list) &&
			json_integer_value(json_array_get(list, at)) < port)
			at++;
		if (port && json_array_size(list) < PORTS_MAX)
			json_array_insert_new(list, at, json_integer(port));
	}
	return list;
}

static json_t *labels(const json_t *oci)
{
	json_t *given = json_object_get(oci, "Labels"), *v, *out = json_object();
	size_t bytes = 0;
	const char *key;

	json_object_foreach(given, key, v)
	{
		bytes += strlen(key) + json_string_length(v) + 8;
		if (is_text(v) && *key && strlen(key) < 256 && bytes < LABEL_BYTES &&
			json_object_size(out) < LABELS_MAX)
			json_object_set(out, key, v);
	}
	return out;
}

static const char *folder_of(const json_t *oci)
{
	const char *folder = json_string_value(json_object_get(oci, "WorkingDir"));

	return folder && *folder == '/' && strlen(folder) < TEXT_BYTES ? folder : "/";
}

int import_configure(struct root *root, const json_t *oci, const char *const *given, char **line,
	json_t **config, struct err *err)
{
	json_t *words _cleanup_json_ = json_array(), *env _cleanup_json_ = json_object();
	struct found f = {.root = root, .folder = folder_of(oci), .err = err};
	json_t *made;
	int rc = command(oci, given, words, err);

	if (!rc)
		rc = environment(oci, env, err);
	if (rc)
		return rc;
	rc = layer_folder(root, f.folder); /* container engines make it too */
	if (rc)
		return err_sys(err, -rc, "WorkingDir %.200s", f.folder);
	f.way = json_string_value(json_object_get(env, "PATH"));
	rc = resolve_program(&f, words);
	if (!rc)
		rc = argument_line(env, f.folder, words, line, err);
	if (rc)
		return rc;
	made = json_pack("{s:O, s:O, s:o, s:o}", "cmd", words, "env", env, "ports", ports(oci),
		"labels", labels(oci));
	if (!made)
		return err_set(err, ENOMEM, "out of memory");
	*config = made;
	return 0;
}
