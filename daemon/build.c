/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/build.h"

#include "daemon/api/image.h"
#include "daemon/core.h"
#include "daemon/image/name.h"
#include "daemon/image/store.h"
#include "daemon/monitor/args.h"
#include "daemon/network/network.h"
#include "daemon/operation.h"
#include "daemon/spawn.h"
#include "daemon/trash.h"
#include "lib/buf.h"
#include "lib/jsonx.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LINE_MAX_BYTES (64 * KIB)
#define LINE_DEPTH     16
#define PIECE_BYTES    (1 * MIB) /* stored at a time, so that the loop goes on */
#define UID_LAST       65535 /* of the range of users of VMs, which are numbered from its begin */

enum build_state { BUILD_UPLOADING, BUILD_WAITING, BUILD_BUILDING, BUILD_STORING };

struct build {
	struct builds *all;
	enum build_state state;
	unsigned slot;            /* while BUILDING */
	char *dir;                /* owned */
	int context, image, pipe; /* -1: not open */
	char *manifest, *name;    /* owned; NULL as in build_begin() */
	char **words;             /* owned; NULL: none */
	struct operation *op;
	uint64_t received;
	pid_t pid; /* 0: no process */
	struct loop_child *child;
	struct loop_io *io;
	struct loop_timer *timer; /* BUILDING: the time is over; STORING: the next piece */
	struct buf line;
	json_t *made;      /* the builder's last word: name, bytes, config */
	struct err failed; /* or this */
	bool cancelled, late;
	struct content_upload *upload;
	uint64_t stored;
	struct build *next;
};

struct builds {
	struct core *core;
	char *dir;
	struct build *first; /* the oldest */
	unsigned count;
	bool used[BUILDS_RUNNING_MAX];
	bool stopped;
};

static void start_waiting(struct builds *bs);
static void on_timer(void *arg);

/* --- its files -------------------------------------------------------------------------------------------------- */
static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int open_file(const struct build *b, const char *name)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s", b->dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

static void unlist(struct build *b)
{
	struct build **p = &b->all->first;

	while (*p && *p != b)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = b->next;
	b->all->count--;
}

/* Its process has ended, or is ended here. */
static void build_free(struct build *b)
{
	unlist(b);
	if (b->pid) {
		loop_child_del(b->child);
		kill(-b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	if (b->state == BUILD_BUILDING)
		b->all->used[b->slot] = false;
	loop_io_del(b->io);
	loop_timer_free(b->timer);
	close_fd(&b->context);
	close_fd(&b->image);
	close_fd(&b->pipe);
	content_upload_abort(b->upload);
	if (b->dir)
		trash_folder(b->all->core->trash, b->dir);
	json_decref(b->made);
	buf_fini(&b->line);
	free(b->manifest);
	free(b->name);
	args_free(b->words);
	free(b->dir);
	free(b);
}

/* Takes b. */
static void fail(struct build *b, unsigned status, const char *code, const char *sentence)
{
	struct builds *bs = b->all;

	operation_fail(steal_ptr(&b->op), status, code, "%s", sentence);
	build_free(b);
	start_waiting(bs);
}

static void fail_with(struct build *b, const struct err *err)
{
	char sentence[ERR_MSG_BYTES];

	snprintf(sentence, sizeof(sentence), "%s", err->msg);
	fail(b, err->code == ENOSPC ? 507 : 400, err->code == ENOSPC ? "disk_full" : "build_failed",
		sentence);
}

/* --- upload ----------------------------------------------------------------------------------------------------- */
int build_upload_new(struct builds *bs, struct build **out, struct err *err)
{
	struct build *b, **end;
	char id[ID_TEXT_BYTES];
	int r;

	if (access(bs->core->config.builder, X_OK) < 0)
		return err_set(err, ENOENT,
			"the manager's builder %s is not there: install it, or say where it is "
			"(uigniterd --builder)",
			bs->core->config.builder);
	if (bs->stopped || bs->count >= BUILDS_MAX)
		return err_set(err, EAGAIN, "%u builds are under way already", bs->count);
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_sys(err, ENOMEM, "build");
	*b = (struct build){.all = bs, .context = -1, .image = -1, .pipe = -1};
	buf_init(&b->line, LINE_MAX_BYTES);
	id_new(id);
	if (asprintf(&b->dir, "%s/%s", bs->dir, id) < 0) {
		b->dir = NULL;
		r = -ENOMEM;
	} else {
		r = mkdir(b->dir, 0711) < 0 ? -errno : 0;
	}
	if (r == 0)
		r = b->context = open_file(b, "context");
	if (r >= 0)
		r = loop_timer_new(bs->core->loop, on_timer, b, &b->timer);
	if (r < 0) {
		build_free(b);
		return err_sys(err, -r, "cannot take a context in %s", bs->dir);
	}
	for (end = &bs->first; *end; end = &(*end)->next)
		;
	*end = b;
	bs->count++;
	*out = b;
	return 0;
}

int build_upload_write(struct build *b, const void *data, size_t len)
{
	const char *at = data;

	if (len > BUILD_CONTEXT_MAX_BYTES - b->received)
		return -EMSGSIZE;
	b->received += len;
	while (len) {
		ssize_t n = write(b->context, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

void build_upload_abort(struct build *b)
{
	if (b)
		build_free(b);
}

/* --- what the builder says -------------------------------------------------------------------------------------- */
static void take_line(struct build *b)
{
	const char *text = b->line.data ? b->line.data : "", *word = NULL;
	_cleanup_json_ json_t *line = NULL;
	int64_t code = EINVAL;

	if (jsonx_parse_object(text, b->line.len, LINE_DEPTH, &line, NULL) < 0)
		return; /* of a tool that it has run */
	if (jsonx_str(line, "error", ERR_MSG_BYTES, &word, NULL) == 0) {
		jsonx_opt_int(line, "errno", 1, 4095, &code, NULL);
		err_set(&b->failed, (int)code, "%s", word);
	} else if (jsonx_str(line, "step", ERR_MSG_BYTES, &word, NULL) == 0) {
		operation_step(b->op, "%s", word);
	} else if (json_object_get(line, "config")) {
		json_decref(b->made);
		b->made = json_incref(line);
	}
}

static void take_text(struct build *b, const char *text, size_t len)
{
	const char *end;

	while ((end = memchr(text, '\n', len))) {
		if (buf_add(&b->line, text, (size_t)(end - text)) == 0)
			take_line(b);
		buf_consume(&b->line, b->line.len);
		len -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	if (buf_add(&b->line, text, len) < 0)
		buf_consume(&b->line, b->line.len); /* a line without an end is none of ours */
}

static void hear(void *arg, uint32_t events)
{
	struct build *b = arg;
	char piece[4096];
	ssize_t n;

	(void)events;
	while ((n = read(b->pipe, piece, sizeof(piece))) > 0)
		take_text(b, piece, (size_t)n);
	if (n == 0) { /* its end is what counts */
		loop_io_del(steal_ptr(&b->io));
	}
}

/* --- storing ---------------------------------------------------------------------------------------------------- */
/* Takes b. */
static void stored(struct build *b, struct content *content)
{
	struct core *core = b->all->core;
	struct builds *bs = b->all;
	json_t *config = json_incref(json_object_get(b->made, "config"));
	char location[IMAGE_NAME_MAX_BYTES + 16];
	struct err err = {0};
	struct image *image;
	bool replaced;

	if (images_add(core->images, b->name, content, config, &image, &replaced, &err) < 0) {
		fail_with(b, &err);
		return;
	}
	image_stored(core, image);
	snprintf(location, sizeof(location), "/image/%s", image->name);
	operation_done(steal_ptr(&b->op), location, image_json(core->images, image));
	build_free(b);
	start_waiting(bs);
}

static void store_piece(struct build *b)
{
	_cleanup_free_ char *piece = malloc(PIECE_BYTES);
	struct content *content;
	struct err err = {0};
	ssize_t n = piece ? pread(b->image, piece, PIECE_BYTES, (off_t)b->stored) : -1;
	int r = n < 0 || (n == 0 && !b->stored) ? -EIO
		: n                             ? content_upload_write(b->upload, piece, (size_t)n)
						: 0;

	if (r < 0) {
		err_sys(&err, -r, "cannot store the image");
		fail_with(b, &err);
	} else if (n) {
		b->stored += (uint64_t)n;
		operation_progress(b->op, "bytes", b->stored,
			(uint64_t)json_integer_value(json_object_get(b->made, "bytes")));
		loop_timer_set(b->timer, 0);
	} else if (content_upload_end(steal_ptr(&b->upload), NULL, &content, &err) < 0) {
		fail_with(b, &err);
	} else {
		stored(b, content);
	}
}

/* The builder has read what a client wrote, so what it says counts as little. */
static int check_made(struct build *b, struct err *err)
{
	const char *name = NULL;
	struct check c = {.pointer = ""};

	if (b->failed.code)
		return err_set(err, b->failed.code, "%s", b->failed.msg);
	if (!b->made || jsonx_str(b->made, "name", IMAGE_NAME_MAX_BYTES, &name, err) < 0)
		return err_set(err, EIO, "the builder ended without a word");
	if (!image_name_is_valid(name))
		return err_set(err, EINVAL, "\"%.80s\" is no image name", name);
	if (image_config_check(json_object_get(b->made, "config"), &c) < 0)
		return err_set(err, EINVAL, "%s", c.err.msg);
	if (!b->name)
		b->name = strdup(name);
	return b->name ? 0 : err_sys(err, ENOMEM, "build");
}

static void ended(void *arg, int code, int status)
{
	struct build *b = arg;
	struct err err = {0};
	int r;

	kill(-b->pid, SIGKILL); /* what a builder that was ended left behind in its session */
	b->child = NULL;
	b->pid = 0;
	hear(b, 0);
	b->all->used[b->slot] = false;
	b->state = BUILD_STORING;
	loop_timer_cancel(b->timer);
	if (b->cancelled) {
		fail(b, 409, "cancelled", "it was ended");
	} else if (b->late) {
		fail(b, 504, "build_timeout", "it took longer than ten minutes");
	} else if (code != CLD_EXITED && !b->failed.code) {
		err_set(&err, EIO,
			"the builder was ended by signal %d: a limit of memory, time or size",
			status);
		fail_with(b, &err);
	} else {
		r = check_made(b, &err);
		if (r == 0)
			r = content_upload_new(
				images_contents(b->all->core->images), &b->upload, &err);
		if (r < 0)
			fail_with(b, &err);
		else
			store_piece(b);
	}
}

static void on_timer(void *arg)
{
	struct build *b = arg;

	if (b->state == BUILD_STORING) {
		store_piece(b);
		return;
	}
	b->late = true;
	kill(-b->pid, SIGKILL);
}

/* --- building --------------------------------------------------------------------------------------------------- */
static int make_work(const struct build *b, char *work, size_t size, uid_t uid, struct err *err)
{
	snprintf(work, size, "%s/work", b->dir);
	if (mkdir(work, 0700) < 0 || chown(work, uid, uid) < 0)
		return err_sys(err, errno, "cannot make a folder for the builder");
	return 0;
}

/* uigniter-build MANIFEST NAME [PROGRAM ARG...]; caller frees the list, not what it names. */
static char **builder_words(const struct build *b)
{
	static char program[] = "uigniter-build", dash[] = "-", none[] = "";
	size_t n = 0;
	char **argv;

	while (b->words && b->words[n])
		n++;
	argv = calloc(n + 4, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = program;
	argv[1] = b->manifest ? b->manifest : dash;
	argv[2] = b->name ? b->name : none;
	if (n)
		memcpy(argv + 3, b->words, n * sizeof(*argv));
	return argv;
}

static int spawn_builder(struct build *b, int out, int netns, struct err *err)
{
	const struct config *c = &b->all->core->config;
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char **argv _cleanup_free_ = builder_words(b);
	char *envp[] = {path, NULL};
	char work[4200];
	struct spawn s = {.path = c->builder,
		.argv = argv,
		.envp = envp,
		.stdio = out,
		.fds = {b->context, b->image},
		.fd_count = 2,
		.netns = netns,
		.cwd = work,
		.drop = true,
		.mortal = true,
		.uid = c->monitor_uid ? c->monitor_uid + UID_LAST - b->slot : c->process_uid};
	int r = argv ? make_work(b, work, sizeof(work), s.uid, err) : err_sys(err, ENOMEM, "build");
	pid_t pid;

	s.gid = c->monitor_uid ? s.uid : c->process_gid;
	pid = r < 0 ? r : spawn_process(&s, err);
	if (pid < 0)
		return pid;
	r = loop_child_add(b->all->core->loop, pid, ended, b, &b->child);
	if (r < 0) {
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_sys(err, -r, "cannot watch the builder");
	}
	b->pid = pid;
	return 0;
}

static int start(struct build *b, struct err *err)
{
	_cleanup_close_ int out = -1;
	_cleanup_close_ int netns = network_nothing(b->all->core->network);
	int ends[2], r;

	if (netns < 0)
		return err_sys(err, -netns, "cannot make a network namespace");
	b->image = open_file(b, "image");
	if (b->image < 0 || lseek(b->context, 0, SEEK_SET) < 0)
		return err_sys(err, b->image < 0 ? -b->image : errno, "cannot make a file");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	b->pipe = ends[0];
	out = ends[1];
	r = fcntl(b->pipe, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	r = r < 0 ? r : loop_io_add(b->all->core->loop, b->pipe, EPOLLIN, hear, b, &b->io);
	if (r < 0)
		return err_sys(err, -r, "cannot listen to the builder");
	r = spawn_builder(b, out, netns, err);
	if (r == 0)
		loop_timer_set(b->timer, BUILD_TIME_NS);
	return r;
}

static bool find_slot(const struct builds *bs, unsigned *slot)
{
	for (unsigned i = 0; i < BUILDS_RUNNING_MAX; i++) {
		if (bs->used[i])
			continue;
		*slot = i;
		return true;
	}
	return false;
}

static void start_waiting(struct builds *bs)
{
	struct build *b = bs->first;
	struct err err = {0};
	unsigned slot;

	while (b && b->state != BUILD_WAITING)
		b = b->next;
	if (!b || bs->stopped || !find_slot(bs, &slot))
		return;
	b->slot = slot;
	b->state = BUILD_BUILDING;
	bs->used[slot] = true;
	if (start(b, &err) < 0)
		fail_with(b, &err); /* and the next */
	else
		start_waiting(bs);
}

static void cancel(void *arg)
{
	struct build *b = arg;

	b->cancelled = true;
	if (b->pid)
		kill(-b->pid, SIGKILL);
	else
		fail(b, 409, "cancelled", "it was ended");
}

int build_begin(struct build *b, const char *manifest, const char *name, char **words,
	const struct operation **op, struct err *err)
{
	struct builds *bs = b->all;
	int r;

	b->words = words;
	b->manifest = manifest ? strdup(manifest) : NULL;
	b->name = name ? strdup(name) : NULL;
	if ((manifest && !b->manifest) || (name && !b->name))
		r = err_sys(err, ENOMEM, "build");
	else
		r = operation_begin(bs->core->operations,
			&(struct operation_spec){.kind = "image.build",
				.subject = name ? name : "",
				.cancel = cancel,
				.arg = b},
			&b->op, err);
	if (r < 0) {
		build_free(b);
		return r;
	}
	*op = b->op;
	b->state = BUILD_WAITING;
	operation_step(b->op, "waiting for its turn");
	start_waiting(bs);
	return 0;
}

/* --- with the manager ------------------------------------------------------------------------------------------- */
int builds_new(struct core *core, struct builds **out, struct err *err)
{
	struct builds *bs = calloc(1, sizeof(*bs));

	if (!bs || asprintf(&bs->dir, "%s/build", core->config.state_dir) < 0) {
		free(bs);
		return err_sys(err, ENOMEM, "builds");
	}
	bs->core = core;
	*out = bs;
	trash_folder(core->trash, bs->dir);
	return mkdir(bs->dir, 0711) < 0 && errno != EEXIST
		? err_sys(err, errno, "cannot make %s", bs->dir)
		: 0;
}

void builds_stop(struct builds *bs)
{
	struct build *b, *next;

	if (!bs)
		return;
	bs->stopped = true;
	for (b = bs->first; b; b = next) {
		next = b->next;
		if (b->state != BUILD_UPLOADING) /* that is its request's */
			fail(b, 503, "manager_ended", "the manager ended");
	}
}

void builds_free(struct builds *bs)
{
	if (!bs)
		return;
	builds_stop(bs);
	rmdir(bs->dir);
	free(bs->dir);
	free(bs);
}
