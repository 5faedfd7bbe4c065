/* SPDX-License-Identifier: Apache-2.0 */
/* OSv's usr.manifest: lines, variables, patterns. */
#include "cli/image/foreign.h"

#include "lib/buf.h"
#include "lib/jsonx.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LINE_BYTES  4096
#define PATH_BYTES  4095
#define ENTRIES_MAX 1024

struct osv {
	const char *name;
	int line;
	const struct foreign *o;
	json_t *files, *links, *lines; /* owned */
	struct err *err;
};

static int _printf_(2, 3) bad(const struct osv *m, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(m->err, EINVAL, "%s:%d: %s", m->name, m->line, what);
}

/* --- variables -------------------------------------------------------------------------------------------------- */
static const char *value_of(const struct osv *m, const char *name, size_t len)
{
	for (size_t i = 0; i < m->o->ndefine; i++) {
		const char *pair = m->o->define[i];

		if (!strncmp(pair, name, len) && pair[len] == '=')
			return pair + len + 1;
	}
	return len == 10 && !memcmp(name, "MODULE_DIR", len) ? "." : NULL;
}

/* %(NAME)s and ${NAME} at p: their length, and *name, *len; 0: none is there. */
static size_t variable(const char *p, const char **name, size_t *len)
{
	bool percent = !strncmp(p, "%(", 2);

	if (!percent && strncmp(p, "${", 2) != 0)
		return 0;
	*name = p + 2;
	*len = strcspn(*name, percent ? ")" : "}");
	if (!(*name)[*len] || (percent && (*name)[*len + 1] != 's'))
		return 0;
	return 2 + *len + (percent ? 2 : 1);
}

static int expand(const struct osv *m, const char *text, struct buf *out)
{
	int rc = buf_addstr(out, "");

	while (*text && !rc) {
		const char *name, *value;
		size_t len, n = variable(text, &name, &len);

		if (!n) {
			n = text[0] == '%' && text[1] == '%' ? 2 : 1;
			rc = buf_add(out, text, 1);
			text += n;
			continue;
		}
		value = value_of(m, name, len);
		if (!value)
			return bad(m, "the variable %.*s is not defined (--define %.*s=VALUE)",
				(int)(len < 60 ? len : 60), name, (int)(len < 60 ? len : 60), name);
		rc = buf_addstr(out, value);
		text += n;
	}
	return rc == -EMSGSIZE ? bad(m, "a path is longer than %d bytes", PATH_BYTES) : rc;
}

/* --- one line --------------------------------------------------------------------------------------------------- */
/* Without "." and empty parts: ours are plain paths. "" is the folder itself. */
static void plain(char *path)
{
	bool absolute = *path == '/';
	char *in = path + absolute, *out = in;

	while (*in) {
		size_t n = strcspn(in, "/");

		if (n && !(n == 1 && *in == '.')) {
			if (out != path + absolute)
				*out++ = '/';
			memmove(out, in, n);
			out += n;
		}
		in += n;
		in += *in == '/';
	}
	*out = '\0';
	if (!*path)
		memcpy(path, ".", 2);
}

static bool cut_end(char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	if (n < m || strcmp(text + n - m, end) != 0)
		return false;
	text[n - m] = '\0';
	return true;
}

static int add(struct osv *m, const char *list, json_t *entry)
{
	json_t *to = *list == 'f' ? m->files : m->links;
	char pointer[40];

	snprintf(pointer, sizeof(pointer), "/%s/%zu", list, json_array_size(to));
	if (json_array_size(to) == ENTRIES_MAX) {
		json_decref(entry);
		return bad(m, "more than %d entries", ENTRIES_MAX);
	}
	if (!entry || json_array_append_new(to, entry))
		return bad(m, "a path is not UTF-8");
	json_object_set_new(m->lines, pointer, json_integer(m->line));
	return 0;
}

/* "A/&/B" and "H/&" become "A/B" and "H/B". */
static int ampersand(struct osv *m, char *guest, char *host, size_t size)
{
	char *at = strstr(guest, "/&/");
	size_t n = strlen(host);

	if (!at || n < 2 || strcmp(host + n - 2, "/&") != 0)
		return 0;
	if (n + strlen(at + 3) >= size)
		return bad(m, "a path is too long");
	memcpy(host + n - 1, at + 3, strlen(at + 3) + 1);
	memmove(at + 1, at + 3, strlen(at + 3) + 1);
	return 0;
}

static int add_pair(struct osv *m, char *guest, char *host, size_t size)
{
	size_t g = strlen(guest);
	bool tree = g >= 3 && !strcmp(guest + g - 3, "/**");
	int rc;

	if (!strncmp(host, "->", 2)) {
		plain(guest);
		return add(m, "links", json_pack("{s:s, s:s}", "to", guest, "target", host + 2));
	}
	if (*host == '!')
		memmove(host, host + 1, strlen(host));
	if (tree && !cut_end(host, "/**") && strcmp(host, "**") != 0)
		return bad(m, "** stands on one side only");
	if (tree && !strcmp(host, "**"))
		memcpy(host, ".", 2);
	if (tree)
		cut_end(guest, "/**");
	rc = ampersand(m, guest, host, size);
	if (rc)
		return rc;
	if (!*guest)
		memcpy(guest, "/", 2);
	plain(guest);
	plain(host);
	if (strchr(guest, '*') || strchr(host, '*'))
		return bad(m, "of patterns only ** at the end of both sides is taken");
	return add(m, "files", json_pack("{s:s, s:s}", "from", host, "to", guest));
}

static int take_line(struct osv *m, char *line)
{
	struct buf guest _cleanup_buf_ = {.max = PATH_BYTES},
			 host _cleanup_buf_ = {.max = PATH_BYTES};
	char from[2 * LINE_BYTES], to[LINE_BYTES], *colon, *end;
	int rc;

	line += strspn(line, " \t");
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (!*line || *line == '#' || *line == ';' || !strcmp(line, "[manifest]"))
		return 0;
	if (*line == '[')
		return bad(m, "of sections only [manifest] is taken");
	for (colon = strchr(line, ':'); colon && colon[1] && !isspace((unsigned char)colon[1]);)
		colon = strchr(colon + 1, ':');
	if (!colon || colon == line || !colon[1])
		return bad(m, "\"GUEST: HOST\" is wanted");
	*colon++ = '\0';
	colon += strspn(colon, " \t");
	for (end = line + strlen(line); end > line && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	rc = expand(m, line, &guest);
	if (!rc)
		rc = expand(m, colon, &host);
	if (rc)
		return rc;
	snprintf(to, sizeof(to), "%s", guest.data);
	snprintf(from, sizeof(from), "%s", host.data);
	return add_pair(m, to, from, sizeof(from));
}

/* --- the whole -------------------------------------------------------------------------------------------------- */
static int take_lines(struct osv *m, const char *text, size_t len)
{
	char line[LINE_BYTES];
	int rc = 0;

	while (len && !rc) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		m->line++;
		if (n >= sizeof(line) || memchr(text, '\0', n))
			return bad(m, "a line is longer than %d bytes, or holds a NUL",
				LINE_BYTES - 1);
		memcpy(line, text, n);
		line[n] = '\0';
		rc = take_line(m, line);
		n += end != NULL;
		text += n;
		len -= n;
	}
	return rc;
}

/* Which file of the host the program is; an entry that is it alone is not needed any more. */
static int find_program(struct osv *m, const char *program, char from[2 * LINE_BYTES])
{
	for (size_t i = json_array_size(m->files); i-- > 0;) {
		const json_t *file = json_array_get(m->files, i);
		const char *to = json_string_value(json_object_get(file, "to"));
		const char *host = json_string_value(json_object_get(file, "from"));
		size_t n = strlen(to);

		if (!strcmp(to, "/"))
			n = 0;
		if (strncmp(program, to, n) != 0 || (program[n] && program[n] != '/'))
			continue;
		snprintf(from, 2 * LINE_BYTES, "%s%s", program[n] && !strcmp(host, ".") ? "" : host,
			program[n] && !strcmp(host, ".") ? program + n + 1 : program + n);
		if (!program[n])
			json_array_remove(m->files, i);
		return 0;
	}
	return err_set(m->err, EINVAL, "%s: no line of it puts a file at %.200s", m->name, program);
}

static int make_doc(struct osv *m, struct yaml *doc)
{
	char from[2 * LINE_BYTES];
	json_t *args _cleanup_json_ = json_array();
	int rc;

	if (!m->o->name)
		return err_set(m->err, EINVAL, "%s: the image needs a name: --name", m->name);
	if (!m->o->words || !m->o->words[0] || *m->o->words[0] != '/')
		return err_set(m->err, EINVAL,
			"%s: say what the image runs: -- /PATH/IN/IMAGE ARG...", m->name);
	rc = find_program(m, m->o->words[0], from);
	for (size_t i = 1; !rc && m->o->words[i]; i++)
		if (json_array_append_new(args, json_string(m->o->words[i])))
			rc = err_set(m->err, EINVAL, "an argument is not UTF-8");
	if (rc)
		return rc;
	doc->root = json_pack("{s:s, s:s, s:s, s:O, s:O, s:O}", "name", m->o->name, "program", from,
		"to", m->o->words[0], "args", args, "files", m->files, "links", m->links);
	doc->lines = json_incref(m->lines);
	doc->name = m->name;
	return doc->root ? 0 : err_set(m->err, EINVAL, "%s: a text is not UTF-8", m->name);
}

int foreign_osv(const char *name, const char *text, size_t len, const struct foreign *options,
	struct yaml *doc, struct err *err)
{
	struct yaml made = {0};
	struct err own = {0};
	struct osv m = {.name = name,
		.o = options,
		.files = json_array(),
		.links = json_array(),
		.lines = json_pack("{s:i}", "", 1),
		.err = err ? err : &own};
	int rc = len > YAML_MAX_BYTES
		? err_set(m.err, EINVAL, "%s is larger than %d KiB", name, YAML_MAX_BYTES / 1024)
		: take_lines(&m, text, len);

	if (!rc)
		rc = make_doc(&m, &made);
	json_decref(m.files);
	json_decref(m.links);
	json_decref(m.lines);
	if (rc) {
		yaml_fini(&made);
		return m.err->code ? rc : err_sys(m.err, -rc, "%s", name);
	}
	*doc = made;
	return 0;
}
