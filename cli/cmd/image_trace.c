/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image trace: run a program on this machine, and say which files an image of it needs. */
#include "cli/image/manifest.h"
#include "cli/image/yaml.h"
#include "cli/trace/call.h"
#include "cli/trace/draft.h"
#include "cli/trace/tracer.h"
#include "cli/verb.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>

static void on_used(void *arg, const char *path)
{
	draft_add_file(arg, path);
}

static void on_listens(void *arg, uint16_t port)
{
	draft_add_port(arg, port);
}

/* The program's absolute path: as it is, or in PATH. Links stay, so that a manifest names what a person names. */
static int find_program(const char *word, char path[PATH_MAX])
{
	const char *way = getenv("PATH");

	if (*word == '/' && snprintf(path, PATH_MAX, "%s", word) < PATH_MAX) {
		path_normalise(path);
		return access(path, X_OK) ? -errno : 0;
	}
	if (strchr(word, '/'))
		return realpath(word, path) ? 0 : -errno;
	for (const char *part = way ? way : "/usr/bin:/bin"; *part; part += strspn(part, ":")) {
		size_t n = strcspn(part, ":");

		if (*part == '/' &&
			snprintf(path, PATH_MAX, "%.*s/%s", (int)n, part, word) < PATH_MAX &&
			!access(path, X_OK))
			return 0;
		part += n;
	}
	return -ENOENT;
}

/* NULL-terminated; the words stay the invocation's. */
static const char **words_of(const struct args *args)
{
	size_t n = args_program_words(args);
	const char **words = calloc(n + 1, sizeof(*words));

	for (size_t i = 0; words && i < n; i++)
		words[i] = args_program_word(args, i);
	return words;
}

static void tell_end(const char *program, int status)
{
	if (WIFSIGNALED(status))
		complain(EXIT_OK, "%s was ended by signal %d", program, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		complain(EXIT_OK,
			"%s ended with status %d: what it would have used later is missing",
			program, WEXITSTATUS(status));
}

/* What is wanted: a list, a manifest of this name, or the lines that a manifest lacks. */
struct wish {
	const char *name;
	const struct yaml *manifest;
};

static int write_draft(struct draft *d, const struct wish *wish, const char *program,
	const char *const argv[], struct buf *out, struct err *err)
{
	int rc;

	if (!wish->name && !wish->manifest)
		return draft_list(d, out);
	if (wish->manifest)
		draft_drop_named(d, wish->manifest->root);
	rc = draft_drop_found(d, program, err);
	if (rc)
		return rc;
	return wish->name ? draft_manifest(d, wish->name, program, argv, out) : draft_lines(d, out);
}

static int show(
	struct draft *d, const struct wish *wish, const char *program, const char *const argv[])
{
	struct buf out _cleanup_buf_ = {0};
	struct err err = {0};
	int rc = write_draft(d, wish, program, argv, &out, &err);

	if (rc)
		return complain(EXIT_FAILED, "cannot say what %s needs: %s", program,
			*err.msg ? err.msg : strerror(-rc));
	if (d->truncated)
		complain(EXIT_OK, "some files or ports are missing: too many");
	return fwrite(out.data ? out.data : "", 1, out.len, stdout) == out.len && !fflush(stdout)
		? EXIT_OK
		: complain(EXIT_FAILED, "cannot write: %s", strerror(errno));
}

int cmd_image_trace(const struct invocation *inv)
{
	const char *file = args_text(inv->args, "missing-from");
	struct yaml doc _cleanup_(yaml_fini) = {0};
	struct wish wish = {
		.name = args_text(inv->args, "manifest"), .manifest = file ? &doc : NULL};
	double seconds = args_seconds(inv->args, "timeout", 0);
	struct draft draft _cleanup_(draft_fini) = {0};
	const struct trace_events events = {on_used, on_listens, &draft};
	const char **argv _cleanup_free_ = words_of(inv->args);
	char program[PATH_MAX], cwd[PATH_MAX];
	struct err err = {0};
	int rc, status = 0;

	if (!argv || !argv[0])
		return complain(EXIT_USAGE, "image trace needs a program behind --");
	if (wish.name && !manifest_is_image_name(wish.name))
		return complain(EXIT_USAGE,
			"--manifest \"%s\" is no image name (a-z 0-9 . _ - with / between parts, "
			":tag)",
			wish.name);
	if (wish.name && file)
		return complain(EXIT_USAGE, "--manifest and --missing-from exclude each other");
	if (file && manifest_load(file, true, &doc, &err))
		return complain(EXIT_FAILED, "%s", err.msg);
	rc = find_program(argv[0], program);
	if (rc)
		return complain(EXIT_NO_PROGRAM, "cannot run %s: %s", argv[0], strerror(-rc));
	draft.argv = argv;
	draft.cwd = getcwd(cwd, sizeof(cwd));
	rc = trace_run(program, argv, (unsigned int)(seconds + 0.999), &events, &status, &err);
	if (rc)
		return complain(EXIT_FAILED, "%s", err.msg);
	tell_end(program, status);
	return show(&draft, &wish, program, argv);
}
