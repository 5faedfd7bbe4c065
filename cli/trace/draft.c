/* SPDX-License-Identifier: Apache-2.0 */
/* A set of paths in the order of their first use, and how it is written. */
#include "cli/trace/draft.h"

#include "cli/image/libs.h"
#include "cli/image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void draft_fini(struct draft *d)
{
	for (size_t i = 0; i < d->nfiles; i++)
		free(d->files[i]);
	free(d->files);
	*d = (struct draft){0};
}

static bool is_below(const char *path, const char *const folders[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(folders[i]);

		if (!strncmp(path, folders[i], n) && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

static bool is_temporary(const char *path)
{
	static const char *const folders[] = {"/tmp", "/var/tmp"};

	return is_below(path, folders, ARRAY_SIZE(folders));
}

static bool is_made_anew(const char *path)
{
	static const char *const folders[] = {
		"/proc", "/sys", "/dev", "/run", "/var/run", "/var/cache"};
	static const char *const files[] = {"/etc/group", "/etc/hosts", "/etc/ld.so.cache",
		"/etc/ld.so.preload", "/etc/nsswitch.conf", "/etc/passwd", "/etc/resolv.conf"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!strcmp(path, files[i]))
			return true;
	return is_below(path, folders, ARRAY_SIZE(folders));
}

/* Control characters have no place in a manifest. */
static bool is_plain(const char *path)
{
	for (; *path; path++)
		if ((unsigned char)*path < ' ' || *path == 0x7f)
			return false;
	return true;
}

static bool is_relative(const struct draft *d, const char *word, const char *path)
{
	size_t n = d->cwd ? strlen(d->cwd) : 0;

	while (!strncmp(word, "./", 2))
		word += 2;
	return n > 1 && !strncmp(path, d->cwd, n) && path[n] == '/' && !strcmp(path + n + 1, word);
}

/* Whether the program was told of the file: by an argument, or behind the = of one; *relative: the argument begins in the folder where it ran. */
static bool is_argument(const struct draft *d, const char *path, bool *relative)
{
	*relative = false;
	for (size_t i = 0; d->argv && d->argv[i]; i++) {
		const char *value = strchr(d->argv[i], '=');

		if (!strcmp(d->argv[i], path) || (value && !strcmp(value + 1, path)))
			return true;
		*relative = is_relative(d, d->argv[i], path) ||
			(value && is_relative(d, value + 1, path));
		if (*relative)
			return true;
	}
	return false;
}

static bool is_left_out(const struct draft *d, const char *path)
{
	bool relative;

	return !is_plain(path) || is_made_anew(path) ||
		(is_temporary(path) && !is_argument(d, path, &relative));
}

static bool has_file(const struct draft *d, const char *path)
{
	for (size_t i = 0; i < d->nfiles; i++)
		if (!strcmp(d->files[i], path))
			return true;
	return false;
}

void draft_add_file(struct draft *d, const char *path)
{
	if (has_file(d, path) || is_left_out(d, path))
		return;
	if (d->nfiles == d->room && d->room < DRAFT_MAX_FILES) {
		size_t room = d->room ? 2 * d->room : 64;
		char **more = realloc(d->files, room * sizeof(*more));

		if (more) {
			d->files = more;
			d->room = room;
		}
	}
	if (d->nfiles < d->room && (d->files[d->nfiles] = strdup(path)))
		d->nfiles++;
	else
		d->truncated = true;
}

void draft_add_port(struct draft *d, uint16_t port)
{
	for (size_t i = 0; i < d->nports; i++)
		if (d->ports[i] == port)
			return;
	if (d->nports < DRAFT_MAX_PORTS)
		d->ports[d->nports++] = port;
	else
		d->truncated = true;
}

/* --- what a build finds by itself ------------------------------------------------------------------------------- */
/* A library is in the image under its name in one of the loader's folders, whichever of them the trace has it in. */
static bool is_found(const struct root *root, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char place[PATH_MAX];

	if (!faccessat(root->fd, path + 1, F_OK, AT_SYMLINK_NOFOLLOW))
		return true;
	if (strncmp(path, "/usr/lib", 8) != 0 && strncmp(path, "/lib", 4) != 0)
		return false;
	snprintf(place, sizeof(place), "lib/x86_64-linux-gnu/%s", name);
	return strstr(name, ".so") && !faccessat(root->fd, place, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* What the program made and has removed, such as the file with its number. */
static bool is_gone(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

/* Puts the libraries of the program, then of each file that stays, into the root. */
static int drop_found_in(
	struct draft *d, struct root *root, struct libs *libs, const char *program, struct err *err)
{
	size_t kept = 0;
	int rc = libs_add(libs, err);

	for (size_t i = 0; i < d->nfiles; i++) {
		char *path = d->files[i];
		int fd _cleanup_close_ = -1;

		if (!rc && (!strcmp(path, program) || is_gone(path) || is_found(root, path))) {
			free(path);
			continue;
		}
		d->files[kept++] = path;
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (!rc && fd >= 0)
			rc = libs_note(libs, fd, err) ?: libs_add(libs, err);
	}
	d->nfiles = kept;
	return rc;
}

int draft_drop_found(struct draft *d, const char *program, struct err *err)
{
	struct root root _cleanup_(root_fini) = {.fd = -1};
	struct libs *libs _cleanup_(libs_freep) = NULL;
	int fd _cleanup_close_ = open(program, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys(err, errno, "%s", program);
	rc = root_new(&root, err);
	if (!rc)
		rc = libs_new(&root, fd, program, &libs, err);
	return rc ? rc : drop_found_in(d, &root, libs, program, err);
}

/* --- what a manifest has ---------------------------------------------------------------------------------------- */
static bool is_named(const json_t *files, const char *path)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *to = json_string_value(json_object_get(json_array_get(files, i), "to"));
		size_t n = strlen(to);

		if (!strncmp(path, to, n) && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

void draft_drop_named(struct draft *d, const json_t *manifest)
{
	const json_t *files = json_object_get(manifest, "files");
	size_t kept = 0;

	for (size_t i = 0; i < d->nfiles; i++) {
		if (is_named(files, d->files[i]))
			free(d->files[i]);
		else
			d->files[kept++] = d->files[i];
	}
	d->nfiles = kept;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */
static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct draft *d)
{
	if (d->nfiles)
		qsort(d->files, d->nfiles, sizeof(*d->files), by_text);
}

int draft_list(struct draft *d, struct buf *out)
{
	int rc = 0;

	sort(d);
	for (size_t i = 0; i < d->nfiles && !rc; i++)
		rc = buf_printf(out, "%s\n", d->files[i]);
	return rc;
}

static int add_scalar(struct buf *out, const char *text)
{
	int rc = buf_addstr(out, "\"");

	for (; *text && !rc; text++) {
		if (*text == '"' || *text == '\\')
			rc = buf_addstr(out, "\\");
		if (!rc)
			rc = *text == '\t'      ? buf_addstr(out, "\\t")
				: *text == '\n' ? buf_addstr(out, "\\n")
						: buf_add(out, text, 1);
	}
	return rc ? rc : buf_addstr(out, "\"");
}

/* A path needs quotes only when it has other signs than most. */
static int add_path(struct buf *out, const char *path)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";

	return path[strspn(path, plain)] ? add_scalar(out, path) : buf_addstr(out, path);
}

static int add_args(struct buf *out, const char *const argv[])
{
	int rc = 0;

	if (!argv[0] || !argv[1])
		return 0;
	rc = buf_addstr(out, "args: [");
	for (size_t i = 1; argv[i] && !rc; i++)
		rc = (i > 1 ? buf_addstr(out, ", ") : 0) ?: add_scalar(out, argv[i]);
	return rc ? rc : buf_addstr(out, "]\n");
}

int draft_lines(struct draft *d, struct buf *out)
{
	int rc = 0;

	sort(d);
	for (size_t i = 0; i < d->nfiles && !rc; i++) {
		const char *path = d->files[i];

		rc = buf_addstr(out, "  - {from: ") ?: add_path(out, path);
		if (!rc)
			rc = buf_addstr(out, ", to: ") ?: add_path(out, path);
		if (!rc)
			rc = buf_printf(out, "}%s\n",
				source_is_system_path(path) ? "" : " # needs --host-files");
	}
	return rc;
}

static int add_ports(struct buf *out, const struct draft *d)
{
	int rc = d->nports ? buf_addstr(out, "ports: [") : 0;

	for (size_t i = 0; i < d->nports && !rc; i++)
		rc = buf_printf(out, "%s%u", i ? ", " : "", d->ports[i]);
	if (d->nports && !rc)
		rc = buf_printf(out, "]\nreadiness: {tcp: %u}\n", d->ports[0]);
	return rc;
}

/* The folder where the program ran, if an argument needs it. */
static int add_cwd(struct buf *out, const struct draft *d)
{
	bool relative = false;

	for (size_t i = 0; i < d->nfiles && !relative; i++)
		is_argument(d, d->files[i], &relative);
	if (!relative || !is_plain(d->cwd))
		return 0;
	return buf_addstr(out, "cwd: ") ?: add_path(out, d->cwd) ?: buf_addstr(out, "\n");
}

int draft_manifest(struct draft *d, const char *name, const char *program, const char *const argv[],
	struct buf *out)
{
	int rc = buf_printf(out, "name: %s\nprogram: ", name);

	if (!rc)
		rc = add_path(out, program) ?: buf_addstr(out, "\n");
	if (!rc)
		rc = add_args(out, argv) ?: add_cwd(out, d);
	if (!rc && d->nfiles)
		rc = buf_addstr(out, "files:\n") ?: draft_lines(d, out);
	return rc ? rc : add_ports(out, d);
}
