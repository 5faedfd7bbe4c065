/* SPDX-License-Identifier: Apache-2.0 */
/* Folders: entries and their types, 300 of them, rewinding, and removing while reading. */
#include "tests/guest/guest.h"

#include <dirent.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int count(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	NEED(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

int main(void)
{
	char *names[16], path[32], raw[64];
	struct dirent *e;
	struct stat st;
	size_t n = 0;
	DIR *dir;
	int fd;

	NEED(mkdir("d", 0700) == 0 && mkdir("d/sub", 0700) == 0 && symlink("x", "d/link") == 0);
	NEED(mkfifo("d/fifo", 0600) == 0 && close(open("d/file", O_CREAT | O_WRONLY, 0600)) == 0);
	dir = opendir("d");
	NEED(dir);
	while ((e = readdir(dir)) && n < ARRAY_SIZE(names)) {
		const char *type = e->d_type == DT_DIR ? "dir"
			: e->d_type == DT_REG          ? "file"
			: e->d_type == DT_LNK          ? "link"
			: e->d_type == DT_FIFO         ? "fifo"
						       : "other";

		snprintf(path, sizeof(path), "d/%.24s", e->d_name);
		NEED(lstat(path, &st) == 0);
		names[n] = malloc(300);
		snprintf(names[n++], 300, "%s: %s, number %s", e->d_name, type,
			e->d_ino == st.st_ino ? "fits" : "differs");
	}
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++)
		say("%s\n", names[i]);
	rewinddir(dir);
	for (n = 0; readdir(dir); n++)
		;
	say("%zu again\n", n);
	closedir(dir);

	NEED(mkdir("many", 0700) == 0);
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "many/entry-number-%d", i);
		NEED(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
	}
	SHOW(count("many"));
	dir = opendir("many");
	NEED(dir);
	n = 0;
	while ((e = readdir(dir))) {
		snprintf(path, sizeof(path), "many/%.24s", e->d_name);
		if (e->d_name[0] == 'e' && unlink(path) == 0)
			n++;
	}
	closedir(dir);
	say("%zu removed\n", n);
	SHOW(count("many"));
	SHOW(rmdir("many"));
	fd = open("d/file", O_RDONLY);
	SHOW(syscall(SYS_getdents64, fd, raw, sizeof(raw)));
	fd = open("d", O_RDONLY);
	SHOW(syscall(SYS_getdents64, fd, raw, 8));
	SHOW(syscall(SYS_getdents64, 999, raw, sizeof(raw)));
	return 0;
}
