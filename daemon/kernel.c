/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder is the table: names are files, a file that begins with a dot is an upload under way. Of a kernel only its ELF header is
 * looked at here; the monitor reads the rest, in the sandbox of the VM it is for.
 */
#include "daemon/kernel.h"

#include "daemon/image/name.h"
#include "lib/log.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define UPLOAD_PREFIX ".upload-"

struct kernels {
	int dir;
	char *path;        /* owned; of dir */
	const char *libos; /* borrowed */
	unsigned serial;   /* of uploads */
};

struct kernel_upload {
	struct kernels *kernels;
	int fd;
	uint64_t bytes;
	char file[32];
};

static void each_file(const struct kernels *k, void (*fn)(void *arg, const char *name), void *arg)
{
	int fd = openat(k->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (fd >= 0 && !dir)
		close(fd);
	while (dir && (e = readdir(dir)))
		fn(arg, e->d_name);
	if (dir)
		closedir(dir);
}

static void remove_upload(void *arg, const char *name)
{
	const struct kernels *k = arg;

	if (strncmp(name, UPLOAD_PREFIX, strlen(UPLOAD_PREFIX)) == 0)
		unlinkat(k->dir, name, 0);
}

int kernels_new(const char *state_dir, const char *libos, struct kernels **out, struct err *err)
{
	struct kernels *k = calloc(1, sizeof(*k));

	if (!k || asprintf(&k->path, "%s/kernel", state_dir) < 0) {
		free(k);
		return err_sys(err, ENOMEM, "kernels");
	}
	k->libos = libos;
	if (mkdir(k->path, 0700) < 0 && errno != EEXIST)
		k->dir = -1;
	else
		k->dir = open(k->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->dir < 0) {
		int r = err_sys(err, errno, "cannot open %s", k->path);

		free(k->path);
		free(k);
		return r;
	}
	each_file(k, remove_upload, k);
	*out = k;
	return 0;
}

void kernels_free(struct kernels *k)
{
	if (!k)
		return;
	rmdir(k->path); /* one that nobody has put anything in */
	close(k->dir);
	free(k->path);
	free(k);
}

int kernel_path(const struct kernels *k, const char *name, char *path)
{
	if (!*name || strcmp(name, KERNEL_DEFAULT) == 0) {
		snprintf(path, PATH_MAX, "%s", k->libos);
		return 0;
	}
	if (!name_is_valid(name) || faccessat(k->dir, name, R_OK, 0) < 0)
		return -ENOENT;
	snprintf(path, PATH_MAX, "%s/%s", k->path, name);
	return 0;
}

struct listing {
	const struct kernels *kernels;
	void (*fn)(void *arg, const struct kernel *kernel);
	void *arg;
	unsigned count;
};

static void list_one(struct listing *l, const char *name, const char *path)
{
	struct stat st = {0};

	if (stat(path, &st) < 0)
		st = (struct stat){0};
	if (l->fn)
		l->fn(l->arg,
			&(struct kernel){.name = name,
				.path = path,
				.bytes = (uint64_t)st.st_size,
				.changed = st.st_mtime});
	l->count++;
}

static void list_file(void *arg, const char *name)
{
	struct listing *l = arg;
	char path[PATH_MAX];

	if (!name_is_valid(name))
		return;
	snprintf(path, sizeof(path), "%s/%s", l->kernels->path, name);
	list_one(l, name, path);
}

void kernels_each(
	const struct kernels *k, void (*fn)(void *arg, const struct kernel *kernel), void *arg)
{
	struct listing l = {.kernels = k, .fn = fn, .arg = arg};

	list_one(&l, KERNEL_DEFAULT, k->libos);
	each_file(k, list_file, &l);
}

int kernel_delete(struct kernels *k, const char *name)
{
	if (!name_is_valid(name) || unlinkat(k->dir, name, 0) < 0)
		return -ENOENT;
	return 0;
}

/* --- uploads ---------------------------------------------------------------------------------------------------------- */
int kernel_upload_new(struct kernels *k, struct kernel_upload **out, struct err *err)
{
	struct listing l = {.kernels = k};
	struct kernel_upload *u;

	each_file(k, list_file, &l);
	if (l.count >= KERNELS_MAX)
		return err_set(err, EMFILE, "there can be %d kernels at most", KERNELS_MAX);
	u = calloc(1, sizeof(*u));
	if (!u)
		return err_sys(err, ENOMEM, "kernels");
	u->kernels = k;
	snprintf(u->file, sizeof(u->file), UPLOAD_PREFIX "%u", k->serial++);
	u->fd = openat(k->dir, u->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (u->fd < 0) {
		int r = err_sys(err, errno, "cannot make a file in %s", k->path);

		free(u);
		return r;
	}
	*out = u;
	return 0;
}

int kernel_upload_write(struct kernel_upload *u, const void *data, size_t len)
{
	const char *at = data;

	if (u->bytes + len > KERNEL_MAX_BYTES)
		return -EFBIG;
	u->bytes += len;
	while (len) {
		ssize_t n = write(u->fd, at, len);

		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

void kernel_upload_abort(struct kernel_upload *u)
{
	if (!u)
		return;
	unlinkat(u->kernels->dir, u->file, 0);
	close(u->fd);
	free(u);
}

static int check(const struct kernel_upload *u, struct err *err)
{
	Elf64_Ehdr head = {0};
	ssize_t n = pread(u->fd, &head, sizeof(head), 0);

	if (n != sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
		head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB ||
		head.e_machine != EM_X86_64 || (head.e_type != ET_EXEC && head.e_type != ET_DYN))
		return err_set(
			err, EINVAL, "the body is no kernel: an ELF file of x86-64 is wanted");
	return 0;
}

int kernel_upload_end(struct kernel_upload *u, const char *name, bool *replaced, struct err *err)
{
	const struct kernels *k = u->kernels;
	int r = check(u, err);

	*replaced = faccessat(k->dir, name, F_OK, 0) == 0;
	if (r == 0 && fsync(u->fd) < 0)
		r = err_sys(err, errno, "cannot write to %s", k->path);
	if (r == 0 && renameat(k->dir, u->file, k->dir, name) < 0)
		r = err_sys(err, errno, "cannot name a file in %s", k->path);
	if (r == 0 && fsync(k->dir) < 0)
		log_warn("a kernel's name may be lost with the machine", "kernel=%s error=%d", name,
			errno);
	if (r < 0) {
		kernel_upload_abort(u);
		return r;
	}
	close(u->fd);
	free(u);
	return 0;
}
