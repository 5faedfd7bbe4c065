/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls name a file, and where the name is among their arguments; /proc says the rest. */
#include "cli/trace/call.h"

#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define NONE (-1)

static const struct {
	unsigned int nr;
	enum call_kind kind;
	int dirfd, path, flags; /* argument numbers */
} calls[] = {
	{SYS_open, CALL_OPEN, NONE, 0, 1},
	{SYS_openat, CALL_OPEN, 0, 1, 2},
	{SYS_openat2, CALL_OPEN, 0, 1, NONE},
	{SYS_stat, CALL_LOOK, NONE, 0, NONE},
	{SYS_lstat, CALL_LOOK, NONE, 0, NONE},
	{SYS_newfstatat, CALL_LOOK, 0, 1, NONE},
	{SYS_statx, CALL_LOOK, 0, 1, NONE},
	{SYS_access, CALL_LOOK, NONE, 0, NONE},
	{SYS_faccessat, CALL_LOOK, 0, 1, NONE},
	{SYS_faccessat2, CALL_LOOK, 0, 1, NONE},
	{SYS_readlink, CALL_LOOK, NONE, 0, NONE},
	{SYS_readlinkat, CALL_LOOK, 0, 1, NONE},
	{SYS_execve, CALL_EXEC, NONE, 0, NONE},
	{SYS_execveat, CALL_EXEC, 0, 1, NONE},
	{SYS_listen, CALL_LISTEN, NONE, NONE, 0},
};

/* Copies from another process; the number of bytes that could be read. */
static size_t read_memory(pid_t tid, uint64_t address, void *to, size_t size)
{
	struct iovec here = {.iov_base = to, .iov_len = size};
	struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
	ssize_t n = process_vm_readv(tid, &here, 1, &there, 1, 0);

	return n < 0 ? 0 : (size_t)n;
}

/* Page by page, for the text may end right before one that is not there. */
static bool read_text(pid_t tid, uint64_t address, char to[PATH_MAX])
{
	size_t done = 0;

	while (done < PATH_MAX) {
		size_t want = 4096 - (address + done) % 4096, got;

		if (want > PATH_MAX - done)
			want = PATH_MAX - done;
		got = read_memory(tid, address + done, to + done, want);
		if (memchr(to + done, '\0', got))
			return true;
		if (got < want)
			return false;
		done += got;
	}
	return false;
}

static bool read_proc_link(pid_t tid, const char *name, char to[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/%s", (int)tid, name);
	n = readlink(link, to, PATH_MAX - 1);
	if (n > 0)
		to[n] = '\0';
	return n > 0;
}

void path_normalise(char *path)
{
	char *out = path;

	for (const char *in = path; *in;) {
		size_t n;

		in += strspn(in, "/");
		n = strcspn(in, "/");
		if (n == 2 && !memcmp(in, "..", 2)) {
			while (out > path && *--out != '/')
				;
		} else if (n && (n != 1 || *in != '.')) {
			*out++ = '/';
			memmove(out, in, n);
			out += n;
		}
		in += n;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

/* Makes the path absolute: from the folder of dirfd, or the working folder. */
static bool make_absolute(pid_t tid, int dirfd, char path[PATH_MAX])
{
	char folder[PATH_MAX], name[32];
	size_t len;

	if (*path == '/') {
		path_normalise(path);
		return true;
	}
	snprintf(name, sizeof(name), dirfd == AT_FDCWD ? "cwd" : "fd/%d", dirfd);
	if (!*path || !read_proc_link(tid, name, folder) || *folder != '/')
		return false;
	len = strlen(folder);
	if (len + 1 + strlen(path) + 1 > PATH_MAX)
		return false;
	memmove(path + len + 1, path, strlen(path) + 1);
	memcpy(path, folder, len);
	path[len] = '/';
	path_normalise(path);
	return true;
}

static uint64_t open_flags(pid_t tid, uint64_t nr, const uint64_t args[6], int flags)
{
	struct open_how how = {0};

	if (nr != SYS_openat2)
		return flags == NONE ? 0 : args[flags];
	return read_memory(tid, args[2], &how, sizeof(how)) == sizeof(how) ? how.flags : O_WRONLY;
}

void call_enter(pid_t tid, uint64_t nr, const uint64_t args[6], struct call *call)
{
	size_t i = 0;

	call->kind = CALL_OTHER;
	while (i < ARRAY_SIZE(calls) && calls[i].nr != nr)
		i++;
	if (i == ARRAY_SIZE(calls))
		return;
	call->flags = open_flags(tid, nr, args, calls[i].flags);
	if (calls[i].path != NONE &&
		(!read_text(tid, args[calls[i].path], call->path) ||
			!make_absolute(tid,
				calls[i].dirfd == NONE ? AT_FDCWD : (int)args[calls[i].dirfd],
				call->path)))
		return;
	call->kind = calls[i].kind;
}

static bool is_to_be_written(uint64_t flags)
{
	return (flags & O_ACCMODE) == O_WRONLY || (flags & (O_CREAT | O_TRUNC));
}

/* The name counts when it leads to what was opened: behind a link "x/.." is not x's parent. */
static bool opened_file(pid_t tid, const struct call *call, int fd, char *path)
{
	struct stat named, opened;
	char link[64], name[32];

	snprintf(name, sizeof(name), "fd/%d", fd);
	snprintf(link, sizeof(link), "/proc/%d/%s", (int)tid, name);
	if (stat(link, &opened) || !S_ISREG(opened.st_mode))
		return false;
	if (!stat(call->path, &named) && named.st_dev == opened.st_dev &&
		named.st_ino == opened.st_ino)
		return memcpy(path, call->path, PATH_MAX) != NULL;
	return read_proc_link(tid, name, path) && *path == '/';
}

bool call_used_file(pid_t tid, const struct call *call, int64_t result, char *path)
{
	struct stat st;

	switch (call->kind) {
	case CALL_OPEN:
		return !is_to_be_written(call->flags) && opened_file(tid, call, (int)result, path);
	case CALL_LOOK:
	case CALL_EXEC:
		memcpy(path, call->path, PATH_MAX);
		return !stat(path, &st) && S_ISREG(st.st_mode);
	case CALL_OTHER:
	case CALL_LISTEN:
		break;
	}
	return false;
}

/* The local port of the socket with this inode in a table of /proc/net. */
static uint16_t port_in_table(pid_t tid, const char *table, unsigned long inode)
{
	char path[64], line[512];
	FILE *f _cleanup_fclose_ = NULL;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)tid, table);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned int port;
		unsigned long found;

		if (sscanf(line, " %*u: %*[0-9A-F]:%x %*s %*s %*s %*s %*s %*u %*u %lu", &port,
			    &found) == 2 &&
			found == inode)
			return (uint16_t)port;
	}
	return 0;
}

uint16_t call_listening_port(pid_t tid, int fd)
{
	char name[32], target[PATH_MAX];
	unsigned long inode;
	uint16_t port;

	snprintf(name, sizeof(name), "fd/%d", fd);
	if (!read_proc_link(tid, name, target) || sscanf(target, "socket:[%lu]", &inode) != 1)
		return 0;
	port = port_in_table(tid, "tcp", inode);
	return port ? port : port_in_table(tid, "tcp6", inode);
}
