/* SPDX-License-Identifier: Apache-2.0 */
/* Breadth first over DT_NEEDED; a library is taken once, by its name. */
#include "cli/image/libs.h"

#include "cli/image/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>

#define LIBS_MAX 512

struct walk {
	struct root *root;
	bool musl;
	const char *loader; /* file name of the loader, which libraries name as well */
	unsigned int count, next;
	char *name[LIBS_MAX]; /* owned */
	char *path[LIBS_MAX]; /* of the library on the host, owned */
};

static const char *const glibc_folders[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
	"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", NULL};
static const char *const musl_folders[] = {"/lib/x86_64-linux-musl", "/usr/lib/x86_64-linux-musl",
	"/lib", "/usr/lib", "/usr/local/lib", NULL};

static char *readable(const char *folder, size_t len, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%.*s/%s", (int)len, folder, name) < 0)
		return NULL;
	if (!access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

/* $ORIGIN at the start of a RUNPATH entry is the folder of the file that has it. */
static char *in_runpath(const char *runpath, const char *origin, const char *name)
{
	while (*runpath) {
		size_t len = strcspn(runpath, ":");
		char folder[PATH_MAX], *path;
		size_t skip = !strncmp(runpath, "$ORIGIN", 7) ? 7
			: !strncmp(runpath, "${ORIGIN}", 9)   ? 9
							      : 0;

		if (skip > len)
			skip = 0;
		snprintf(folder, sizeof(folder), "%s%.*s", skip ? origin : "", (int)(len - skip),
			runpath + skip);
		path = readable(folder, strlen(folder), name);
		if (path)
			return path;
		runpath += len;
		runpath += *runpath == ':';
	}
	return NULL;
}

static char *find_library(
	const struct walk *w, const struct elf_needs *of, const char *of_path, const char *name)
{
	char copy[PATH_MAX], *path;

	snprintf(copy, sizeof(copy), "%s", of_path);
	path = in_runpath(of->runpath, dirname(copy), name);
	for (const char *const *f = w->musl ? musl_folders : glibc_folders; *f && !path; f++)
		path = readable(*f, strlen(*f), name);
	return path;
}

static bool is_known(const struct walk *w, const char *name)
{
	for (unsigned int i = 0; i < w->count; i++)
		if (!strcmp(w->name[i], name))
			return true;
	if (!strcmp(name, w->loader))
		return true;
	/* musl's C library is its loader. */
	return w->musl && (!strcmp(name, "libc.so") || !strncmp(name, "libc.musl-", 10));
}

static int remember(
	struct walk *w, const struct elf_needs *of, const char *of_path, struct err *err)
{
	for (unsigned int i = 0; i < of->nneeded; i++) {
		const char *name = of->needed[i];

		if (!*name || strchr(name, '/'))
			return err_set(
				err, ENOEXEC, "%s: library \"%s\" is no plain name", of_path, name);
		if (is_known(w, name))
			continue;
		if (w->count == LIBS_MAX)
			return err_set(err, E2BIG, "%s: more than %d libraries", of_path, LIBS_MAX);
		w->path[w->count] = find_library(w, of, of_path, name);
		if (!w->path[w->count])
			return err_set(err, ENOENT,
				"%s needs the library %s, which is not installed", of_path, name);
		w->name[w->count] = strdup(name);
		if (!w->name[w->count++])
			return err_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int add_library(struct walk *w, const char *name, const char *path, struct err *err)
{
	struct elf_needs *needs _cleanup_free_ = malloc(sizeof(*needs));
	int fd _cleanup_close_ = open(path, O_RDONLY | O_CLOEXEC);
	char to[512];
	int rc;

	if (!needs || fd < 0)
		return err_sys(err, needs ? errno : ENOMEM, "%s", path);
	rc = elf_needs_fd(fd, needs, err);
	if (rc)
		return err_prefix(err, "%s", path);
	snprintf(to, sizeof(to), "%s/%s", w->musl ? "/lib" : glibc_folders[0], name);
	rc = root_add_file(w->root, to, fd, true, err);
	if (rc && rc != -EEXIST)
		return rc;
	return remember(w, needs, path, err);
}

static int add_loader(struct walk *w, const char *loader, struct err *err)
{
	int fd _cleanup_close_ = open(loader, O_RDONLY | O_CLOEXEC);
	int rc;

	if (*loader != '/' || strstr(loader, "..") || fd < 0)
		return err_set(err, ENOENT, "its loader %s is not installed", loader);
	rc = root_add_file(w->root, loader, fd, true, err);
	return rc == -EEXIST ? 0 : rc;
}

static void free_walk(struct walk *w)
{
	for (unsigned int i = 0; i < w->count; i++) {
		free(w->name[i]);
		free(w->path[i]);
	}
	free(w);
}

int libs_add(struct root *root, int program_fd, const char *path, struct err *err)
{
	struct elf_needs *needs _cleanup_free_ = malloc(sizeof(*needs));
	struct walk *w = calloc(1, sizeof(*w));
	int rc = needs && w ? elf_needs_fd(program_fd, needs, err)
			    : err_set(err, ENOMEM, "out of memory");

	if (!rc && *needs->loader) {
		w->root = root;
		w->loader = strrchr(needs->loader, '/') ? strrchr(needs->loader, '/') + 1 : "";
		w->musl = strstr(needs->loader, "ld-musl") != NULL;
		rc = add_loader(w, needs->loader, err);
		if (!rc)
			rc = remember(w, needs, path, err);
		while (!rc && w->next < w->count) {
			rc = add_library(w, w->name[w->next], w->path[w->next], err);
			w->next++;
		}
	}
	if (w)
		free_walk(w);
	return rc;
}
