/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/console.h"

#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#define READ_BYTES (64 * 1024)
#define FINISH_PIECES                                                                              \
	16 /* a pipe's worth; a process that has outlived its leader could go on for ever */

struct console_follower {
	struct console *console;
	console_fn *fn;
	void *arg;
	struct console_follower *next;
};

struct console {
	struct loop *loop;
	int fd; /* read end; -1 after the end */
	struct loop_io *io;
	char *path; /* NULL: not yet */
	int file;   /* -1: not yet made */
	bool has_no_folder;
	size_t file_bytes;
	uint64_t files; /* full ones, before this */
	struct buf early;
	char line[CONSOLE_LAST_BYTES],
		last[CONSOLE_LAST_BYTES]; /* the one being written, the one before */
	size_t line_len;
	struct console_follower *followers;
};

static void rotate(struct console *c)
{
	close(c->file);
	c->file = -1;
	c->file_bytes = 0;
	console_file_rotate(c->path, c->files++);
}

/* The folder is made with the first bytes as well: not on the way of the request that starts a VM. */
static int open_file(const char *path, bool make_folder)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
	    fd = open(path, flags, 0600);
	char folder[4096];

	if (fd >= 0 || errno != ENOENT || !make_folder)
		return fd;
	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	mkdir(folder, CONSOLE_FOLDER_MODE);
	return open(path, flags, 0600);
}

/* What an earlier run of the VM wrote stays. */
static int open_log(struct console *c)
{
	struct stat st;

	c->file = open_file(c->path, !c->has_no_folder);
	if (c->file < 0)
		return -errno;
	c->file_bytes = fstat(c->file, &st) == 0 ? (size_t)st.st_size : 0;
	c->files = console_file_count(c->path);
	return 0;
}

/* The file to write to has room. What can not be rotated does not grow: its VM loses bytes, as on a full disk. */
static bool has_file(struct console *c)
{
	if (c->file < 0 && open_log(c) < 0)
		return false;
	if (c->file_bytes < CONSOLE_FILE_BYTES)
		return true;
	rotate(c);
	return open_log(c) == 0 && c->file_bytes < CONSOLE_FILE_BYTES;
}

/* A full disk loses console bytes; the VM goes on. Each file is filled to its last byte (console_file.h). */
static void store(struct console *c, const char *data, size_t len)
{
	ssize_t n;

	if (!c->path) {
		buf_add(&c->early, data, len);
		return;
	}
	for (; len && has_file(c); data += n, len -= (size_t)n) {
		size_t room = CONSOLE_FILE_BYTES - c->file_bytes;

		n = write(c->file, data, len < room ? len : room);
		if (n <= 0)
			return;
		c->file_bytes += (size_t)n;
	}
}

static void note_line(struct console *c, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' || data[i] == '\r') {
			if (c->line_len) {
				memcpy(c->last, c->line, c->line_len);
				c->last[c->line_len] = '\0';
			}
			c->line_len = 0;
		} else {
			if (c->line_len == sizeof(c->line) - 1) /* of a long one the end counts */
				memmove(c->line, c->line + 1, --c->line_len);
			c->line[c->line_len++] = data[i] ? data[i] : ' ';
		}
	}
}

static void take(struct console *c, const char *data, size_t len)
{
	struct console_follower *f, *next;

	store(c, data, len);
	note_line(c, data, len);
	for (f = c->followers; f; f = next) {
		next = f->next;
		f->fn(f->arg, data, len);
	}
}

/* One piece: its bytes, 0 at the end, -errno (-EAGAIN: there is none now). */
static ssize_t read_piece(struct console *c)
{
	static char piece[READ_BYTES];
	ssize_t n = read(c->fd, piece, sizeof(piece));

	if (n <= 0)
		return n < 0 ? -errno : 0;
	take(c, piece, (size_t)n);
	return n;
}

static void readable(void *arg, uint32_t events)
{
	struct console *c = arg;

	ssize_t n = read_piece(c);

	(void)events;
	if (n <= 0 && n != -EAGAIN)
		console_finish(c);
}

static int console_open(struct loop *loop, const char *fifo, struct console **out)
{
	struct console *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct console){.loop = loop, .file = -1};
	buf_init(&c->early, CONSOLE_EARLY_BYTES);
	c->fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	r = c->fd < 0 ? -errno : loop_io_add(loop, c->fd, EPOLLIN, readable, c, &c->io);
	if (r < 0)
		console_free(c);
	else
		*out = c;
	return r;
}

int console_new(struct loop *loop, const char *fifo, struct console **out, int *write_fd)
{
	int fd, r;

	if (mkfifo(fifo, 0600) < 0)
		return -errno;
	fd = open(fifo, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	r = console_open(loop, fifo, out);
	if (r < 0)
		close(fd);
	else
		*write_fd = fd;
	return r;
}

/* The last line may have come to the file already. */
static void note_tail(struct console *c)
{
	_cleanup_buf_ struct buf tail;

	buf_init(&tail, 0);
	if (console_tail(c->path, CONSOLE_LAST_BYTES, -1, &tail) == 0 && tail.len)
		note_line(c, tail.data, tail.len);
}

int console_adopt(struct loop *loop, const char *fifo, const char *file, struct console **out)
{
	int r = console_open(loop, fifo, out);
	struct console *c;

	if (r < 0)
		return r;
	c = *out;
	c->path = strdup(file);
	if (!c->path) {
		console_free(c);
		return -ENOMEM;
	}
	note_tail(c);
	return 0;
}

void console_finish(struct console *c)
{
	struct console_follower *f;

	if (c->fd >= 0) {
		for (int i = 0; i < FINISH_PIECES && read_piece(c) > 0; i++)
			;
		loop_io_del(c->io);
		c->io = NULL;
		close(c->fd);
		c->fd = -1;
	}
	while ((f = c->followers)) {
		c->followers = f->next;
		f->fn(f->arg, NULL, 0);
		free(f);
	}
}

void console_free(struct console *c)
{
	if (!c)
		return;
	console_finish(c);
	if (c->file >= 0)
		close(c->file);
	buf_fini(&c->early);
	free(c->path);
	free(c);
}

void console_make_no_folder(struct console *c)
{
	c->has_no_folder = true;
}

int console_set_file(struct console *c, const char *path)
{
	c->path = strdup(path);
	if (!c->path)
		return -ENOMEM;
	if (c->early.len)
		store(c, c->early.data, c->early.len);
	buf_fini(&c->early);
	return 0;
}

const char *console_last_line(const struct console *c)
{
	return c->last;
}

struct console_follower *console_follow(struct console *c, console_fn *fn, void *arg)
{
	struct console_follower *f = malloc(sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct console_follower){.console = c, .fn = fn, .arg = arg, .next = c->followers};
	c->followers = f;
	return f;
}

void console_unfollow(struct console_follower *f)
{
	struct console_follower **p;

	for (p = &f->console->followers; *p != f; p = &(*p)->next)
		;
	*p = f->next;
	free(f);
}
