/* SPDX-License-Identifier: Apache-2.0 */
/* Breadth first over DT_NEEDED; a library is taken once, by its name. */
#include "cli/image/libs.h"

#include "cli/image/elf.h"
#include "cli/image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>

#define LIBS_MAX 512

struct libs {
	struct root *root;
	bool musl;
	char loader[ELF_NAME_BYTES]; /* path; "": a static program */
	const char *loader_name;     /* its last part, which libraries name as well */
	unsigned int count, next;
	char *name[LIBS_MAX]; /* owned */
	char *path[LIBS_MAX]; /* of the library on the host, owned */
	bool must[LIBS_MAX];  /* the program needs it, and so what it needs */
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
	const struct libs *w, const struct elf_needs *of, const char *of_path, const char *name)
{
	char copy[PATH_MAX], *path;

	snprintf(copy, sizeof(copy), "%s", of_path);
	path = in_runpath(of->runpath, dirname(copy), name);
	for (const char *const *f = w->musl ? musl_folders : glibc_folders; *f && !path; f++)
		path = readable(*f, strlen(*f), name);
	return path;
}

static bool is_known(struct libs *w, const char *name, bool must)
{
	for (unsigned int i = 0; i < w->count; i++) {
		if (strcmp(w->name[i], name) != 0)
			continue;
		w->must[i] |= must;
		return true;
	}
	if (!strcmp(name, w->loader_name))
		return true;
	/* musl's C library is its loader. */
	return w->musl && (!strcmp(name, "libc.so") || !strncmp(name, "libc.musl-", 10));
}

/* must: one that is missing is an error; a module finds its library among those that are loaded by then, or is done without. */
static int remember(
	struct libs *w, const struct elf_needs *of, const char *of_path, bool must, struct err *err)
{
	for (unsigned int i = 0; i < of->nneeded; i++) {
		const char *name = of->needed[i];
		char *path;

		if (!*name || strchr(name, '/'))
			return err_set(
				err, ENOEXEC, "%s: library \"%s\" is no plain name", of_path, name);
		if (is_known(w, name, must))
			continue;
		if (w->count == LIBS_MAX)
			return err_set(err, E2BIG, "%s: more than %d libraries", of_path, LIBS_MAX);
		path = find_library(w, of, of_path, name);
		if (!path && !must)
			continue;
		if (!path)
			return err_set(err, ENOENT,
				"%s needs the library %s, which is not installed", of_path, name);
		w->path[w->count] = path;
		w->must[w->count] = must;
		w->name[w->count] = strdup(name);
		if (!w->name[w->count++])
			return err_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

/* The image has the library at the place where it is on the host. */
static bool is_in_image(const struct libs *w, const char *path)
{
	return !faccessat(w->root->fd, path + 1, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int add_library(struct libs *w, unsigned int i, struct err *err)
{
	const char *name = w->name[i], *path = w->path[i];
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
	rc = is_in_image(w, path) ? 0 : root_add_file(w->root, to, fd, true, err);
	if (rc && rc != -EEXIST)
		return rc;
	return remember(w, needs, path, w->must[i], err);
}

static int add_loader(struct libs *w, struct err *err)
{
	struct elf_needs *needs _cleanup_free_ = malloc(sizeof(*needs));
	int fd _cleanup_close_ = open(w->loader, O_RDONLY | O_CLOEXEC);
	int rc;

	if (!needs)
		return err_set(err, ENOMEM, "out of memory");
	if (*w->loader != '/' || strstr(w->loader, "..") || fd < 0)
		return err_set(err, ENOENT, "its loader %s is not installed", w->loader);
	rc = elf_needs_fd(fd, needs, err); /* a program must not say that a private file is one */
	if (rc)
		return err_prefix(err, "its loader %s", w->loader);
	rc = root_add_file(w->root, w->loader, fd, true, err);
	return rc == -EEXIST ? 0 : rc;
}

/* glibc opens it by itself when a thread calls pthread_exit() or is cancelled, and ends the program where it is not there. */
static int remember_unwinder(struct libs *w, const char *program_path, struct err *err)
{
	struct elf_needs *needs _cleanup_free_ = calloc(1, sizeof(*needs));

	if (!needs)
		return err_set(err, ENOMEM, "out of memory");
	snprintf(needs->needed[needs->nneeded++], sizeof(needs->needed[0]), "libgcc_s.so.1");
	return remember(w, needs, program_path, false, err);
}

int libs_new(struct root *root, int program_fd, const char *program_path, struct libs **libs,
	struct err *err)
{
	struct elf_needs *needs _cleanup_free_ = malloc(sizeof(*needs));
	struct libs *w _cleanup_(libs_freep) = calloc(1, sizeof(*w));
	int rc = needs && w ? elf_needs_fd(program_fd, needs, err)
			    : err_set(err, ENOMEM, "out of memory");

	if (rc)
		return rc;
	w->root = root;
	snprintf(w->loader, sizeof(w->loader), "%s", needs->loader);
	w->loader_name = strrchr(w->loader, '/') ? strrchr(w->loader, '/') + 1 : "";
	w->musl = strstr(w->loader, "ld-musl") != NULL;
	rc = libs_is_static(w) ? 0 : remember(w, needs, program_path, true, err);
	if (!rc && !libs_is_static(w) && !w->musl)
		rc = remember_unwinder(w, program_path, err);
	if (!rc)
		*libs = steal_ptr(&w);
	return rc;
}

void libs_free(struct libs *libs)
{
	if (!libs)
		return;
	for (unsigned int i = 0; i < libs->count; i++) {
		free(libs->name[i]);
		free(libs->path[i]);
	}
	free(libs);
}

void libs_freep(struct libs **libs)
{
	libs_free(*libs);
}

bool libs_is_static(const struct libs *libs)
{
	return !*libs->loader;
}

int libs_note(struct libs *libs, int fd, struct err *err)
{
	struct elf_needs *needs _cleanup_free_ = NULL;
	struct err ignored = {0};
	char path[PATH_MAX], magic[4];

	if (libs_is_static(libs) || pread(fd, magic, sizeof(magic), 0) != sizeof(magic) ||
		memcmp(magic, "\177ELF", sizeof(magic)) != 0)
		return 0;
	needs = malloc(sizeof(*needs));
	if (!needs)
		return err_set(err, ENOMEM, "out of memory");
	/* An object file, or one of another machine: data like any other. */
	if (elf_needs_fd(fd, needs, &ignored))
		return 0;
	return source_path(fd, path, err) ?: remember(libs, needs, path, false, err);
}

int libs_add(struct libs *libs, struct err *err)
{
	int rc = libs_is_static(libs) ? 0 : add_loader(libs, err);

	for (; !rc && libs->next < libs->count; libs->next++)
		rc = add_library(libs, libs->next, err);
	return rc;
}
