/* SPDX-License-Identifier: Apache-2.0 */
/* The 9P server against a client that means harm: names that lead out, messages that lie about themselves, numbers without end. */
#include "abi/p9.h"
#include "lib/err.h"
#include "lib/util.h"
#include "vmm/p9/fid.h"
#include "vmm/p9/server.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cmocka.h>

#define ROOT 1u

/* One client: a message under construction, the last answer. */
struct fixture {
	struct p9_server *s;
	char dir[64]; /* holds the shared folder `in`, and `secret` beside it */
	uint8_t msg[16384], answer[16384];
	size_t len;
	size_t room; /* for the answer */
	ssize_t got;
};

static void put(struct fixture *f, const void *data, size_t n)
{
	assert_true(f->len + n <= sizeof(f->msg));
	memcpy(f->msg + f->len, data, n);
	f->len += n;
}

static void put_string(struct fixture *f, const char *s)
{
	uint16_t n = (uint16_t)strlen(s);

	put(f, &n, 2);
	put(f, s, n);
}

/* Fields by letter: b w d q integers of 1, 2, 4, 8 bytes, s a string. */
static void begin(struct fixture *f, uint8_t type, const char *fields, ...)
{
	uint16_t tag = 7;
	va_list ap;

	f->len = 4;
	put(f, &type, 1);
	put(f, &tag, 2);
	va_start(ap, fields);
	for (; *fields; fields++) {
		uint64_t v = 0;

		if (*fields == 's') {
			put_string(f, va_arg(ap, const char *));
			continue;
		}
		v = *fields == 'q' ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
		put(f, &v, *fields == 'b' ? 1 : *fields == 'w' ? 2 : *fields == 'd' ? 4 : 8);
	}
	va_end(ap);
}

/* Sends what was begun; 0 or -errno as the server has answered. */
static int send_as(struct fixture *f, uint32_t size)
{
	struct iovec in[2] = {{f->msg, 5}, {f->msg + 5, f->len - 5}};
	struct iovec out[2] = {{f->answer, 9}, {f->answer + 9, f->room - 9}};
	uint32_t code;

	memcpy(f->msg, &size, 4);
	memset(f->answer, 0xee, sizeof(f->answer));
	f->got = p9_server_serve(f->s, in, 2, out, 2);
	assert_in_range(f->got, P9_HEAD_BYTES, f->room);
	assert_memory_equal(f->answer, &(uint32_t){(uint32_t)f->got}, 4);
	assert_memory_equal(f->answer + 5, &(uint16_t){7}, 2);
	for (size_t i = (size_t)f->got; i < f->room; i++)
		assert_int_equal(f->answer[i], 0xee);
	if (f->answer[4] != P9_RLERROR) {
		assert_int_equal(f->answer[4], f->msg[4] + 1);
		return 0;
	}
	memcpy(&code, f->answer + 7, 4);
	assert_in_range(code, 1, 4095);
	return -(int)code;
}

static int go(struct fixture *f)
{
	return send_as(f, (uint32_t)f->len);
}

#define call(f, ...) (begin(f, __VA_ARGS__), go(f))

static int walk(struct fixture *f, uint32_t fid, uint32_t new, const char *name)
{
	return name ? call(f, P9_TWALK, "ddws", fid, new, 1, name)
		    : call(f, P9_TWALK, "ddw", fid, new, 0);
}

static char *path_of(const struct fixture *f, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	FILE *file = fopen(path_of(f, name), "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void start(struct fixture *f, bool read_only)
{
	int fd = open(path_of(f, "in"), O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(p9_server_new(fd, read_only, &f->s, NULL), 0);
	assert_int_equal(call(f, P9_TVERSION, "ds", 16384, P9_VERSION), 0);
	assert_int_equal(call(f, P9_TATTACH, "ddssd", ROOT, P9_NOFID, "", "", 0), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/uig-p9-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->room = sizeof(f->answer);
	mkdir(path_of(f, "in"), 0755);
	mkdir(path_of(f, "in/sub"), 0755);
	write_file(f, "secret", "secret");
	write_file(f, "in/file", "hello");
	assert_int_equal(symlink("/etc/passwd", path_of(f, "in/abs")), 0);
	assert_int_equal(symlink("../secret", path_of(f, "in/rel")), 0);
	assert_int_equal(symlink("..", path_of(f, "in/up")), 0);
	assert_int_equal(mkfifo(path_of(f, "in/fifo"), 0666), 0);
	umask(022);
	start(f, false);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	p9_server_free(f->s);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void no_name_leads_out(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {
		"..", ".", "", "/", "/etc", "sub/..", "../secret", "sub/../../secret", "up/secret"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(walk(f, ROOT, 2, names[i]), -ENOENT);
	assert_int_equal(p9_server_fids(f->s), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(call(f, P9_TMKDIR, "dsdd", ROOT, names[i], 0755, 0), -ENOENT);
		assert_int_equal(call(f, P9_TUNLINKAT, "dsd", ROOT, names[i], 0), -ENOENT);
		assert_int_equal(
			call(f, P9_TRENAMEAT, "dsds", ROOT, "file", ROOT, names[i]), -ENOENT);
		assert_int_equal(call(f, P9_TSYMLINK, "dssd", ROOT, names[i], "x", 0), -ENOENT);
		assert_int_equal(call(f, P9_TLINK, "dds", ROOT, ROOT, names[i]), -ENOENT);
		assert_int_equal(walk(f, ROOT, 2, NULL), 0);
		assert_int_equal(call(f, P9_TLCREATE, "dsddd", 2, names[i], 2, 0644, 0), -ENOENT);
		assert_int_equal(call(f, P9_TCLUNK, "d", 2), 0);
	}
	assert_int_equal(access(path_of(f, "secret"), F_OK), 0);
}

/* Links are told, not followed: neither by a walk, nor by an open, nor as a folder. */
static void links_are_not_followed(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"abs", "rel", "up"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(walk(f, ROOT, 2, names[i]), 0);
		assert_int_equal(f->answer[9], P9_QID_SYMLINK);
		assert_int_equal(call(f, P9_TLOPEN, "dd", 2, 0), -ELOOP);
		assert_int_equal(walk(f, 2, 3, "secret"), -ENOTDIR);
		assert_int_equal(call(f, P9_TSETATTR,
					 "ddddd"
					 "qqqqq",
					 2, P9_SETATTR_SIZE, 0, 0, 0, (uint64_t)0, (uint64_t)0,
					 (uint64_t)0, (uint64_t)0, (uint64_t)0),
			-ELOOP);
		assert_int_equal(call(f, P9_TSETATTR,
					 "ddddd"
					 "qqqqq",
					 2, P9_SETATTR_MODE, 0777, 0, 0, (uint64_t)0, (uint64_t)0,
					 (uint64_t)0, (uint64_t)0, (uint64_t)0),
			-EOPNOTSUPP);
		assert_int_equal(call(f, P9_TCLUNK, "d", 2), 0);
		assert_int_equal(walk(f, ROOT, 2, NULL), 0);
		assert_int_equal(call(f, P9_TLCREATE, "dsddd", 2, names[i], 2, 0644, 0), -ELOOP);
		assert_int_equal(call(f, P9_TCLUNK, "d", 2), 0);
	}
	assert_int_equal(walk(f, ROOT, 2, "abs"), 0);
	assert_int_equal(call(f, P9_TREADLINK, "d", 2), 0);
	assert_memory_equal(f->answer + 9, "/etc/passwd", 11);
}

/* What is no file is never opened: a FIFO would block, a device would be reached. */
static void no_special_files(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(walk(f, ROOT, 2, "fifo"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, 0), -EACCES);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR | P9_OPEN_TRUNC), -EACCES);
	assert_int_equal(walk(f, ROOT, 3, NULL), 0);
	assert_int_equal(call(f, P9_TLCREATE, "dsddd", 3, "fifo", 1, 0644, 0), -EACCES);
	assert_int_equal(
		call(f, P9_TMKNOD, "dsdddd", ROOT, "dev", S_IFCHR | 0666, 1, 3, 0), -EPERM);
	assert_int_equal(
		call(f, P9_TMKNOD, "dsdddd", ROOT, "dev", S_IFBLK | 0666, 8, 0, 0), -EPERM);
	assert_int_equal(call(f, P9_TMKNOD, "dsdddd", ROOT, "pipe", S_IFIFO | 06666, 0, 0, 0), 0);
}

static void no_powers(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(walk(f, ROOT, 2, NULL), 0);
	assert_int_equal(call(f, P9_TLCREATE, "dsddd", 2, "suid", 2, 06755, 0), 0);
	assert_int_equal(stat(path_of(f, "in/suid"), &st), 0);
	assert_int_equal(st.st_mode & 07000, 0);
	assert_int_equal(call(f, P9_TSETATTR,
				 "ddddd"
				 "qqqqq",
				 2, P9_SETATTR_MODE, 07711, 0, 0, (uint64_t)0, (uint64_t)0,
				 (uint64_t)0, (uint64_t)0, (uint64_t)0),
		0);
	assert_int_equal(stat(path_of(f, "in/suid"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 01711);
	assert_int_equal(call(f, P9_TSETATTR,
				 "ddddd"
				 "qqqqq",
				 2, P9_SETATTR_UID, 0, 12345, 0, (uint64_t)0, (uint64_t)0,
				 (uint64_t)0, (uint64_t)0, (uint64_t)0),
		-EPERM);
	assert_int_equal(call(f, P9_TSETATTR,
				 "ddddd"
				 "qqqqq",
				 2, P9_SETATTR_UID | P9_SETATTR_GID, 0, 0, 0, (uint64_t)0,
				 (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0),
		0);
}

static void messages_that_lie(void **state)
{
	struct fixture *f = *state;

	begin(f, P9_TGETATTR, "dq", ROOT, (uint64_t)0);
	assert_int_equal(send_as(f, 6), -EINVAL);
	assert_int_equal(send_as(f, (uint32_t)f->len + 1), -EINVAL);
	assert_int_equal(send_as(f, UINT32_MAX), -EINVAL);
	assert_int_equal(send_as(f, 9), -EINVAL); /* cut in the fid */
	for (unsigned type = 0; type < 256; type++) {
		begin(f, (uint8_t)type, "");
		if (type % 2 == 0 && type != P9_TVERSION)
			assert_true(go(f) < 0);
	}
	/* strings: longer than the message, with a NUL, too long */
	begin(f, P9_TMKDIR, "dw", ROOT, 500);
	assert_int_equal(go(f), -EINVAL);
	begin(f, P9_TMKDIR,
		"dwb"
		"b"
		"b"
		"dd",
		ROOT, 3, 'a', 0, 'b', 0755, 0);
	assert_int_equal(go(f), -EINVAL);
	assert_int_equal(call(f, P9_TWALK, "ddw", ROOT, 2, 17), -EINVAL);
	assert_int_equal(call(f, P9_TWALK, "ddw", ROOT, P9_NOFID, 0), -EINVAL);
	assert_int_equal(call(f, P9_TWALK, "ddw", 99, 2, 0), -EBADF);
	assert_int_equal(call(f, P9_TATTACH, "ddssd", ROOT, P9_NOFID, "", "", 0), -EINVAL);
	assert_int_equal(call(f, P9_TREAD, "dqd", ROOT, (uint64_t)0, 10), -EBADF);
	assert_int_equal(p9_server_fids(f->s), 1);
}

static void no_room_for_an_answer(void **state)
{
	struct fixture *f = *state;
	struct iovec in = {f->msg, 0}, out = {f->answer, 10};

	begin(f, P9_TGETATTR, "dq", ROOT, (uint64_t)0);
	memcpy(f->msg, &(uint32_t){(uint32_t)f->len}, 4);
	in.iov_len = f->len;
	assert_int_equal(p9_server_serve(f->s, &in, 1, &out, 1), -EPROTO);
	assert_int_equal(p9_server_serve(f->s, &in, 1, NULL, 0), -EPROTO);
	in.iov_len = 6;
	out.iov_len = sizeof(f->answer);
	assert_int_equal(p9_server_serve(f->s, &in, 1, &out, 1), -EPROTO);
	f->room = 100; /* getattr wants 160 */
	assert_int_equal(call(f, P9_TGETATTR, "dq", ROOT, (uint64_t)0), -EMSGSIZE);
	f->room = sizeof(f->answer);
}

static void reads_and_writes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR), 0);
	assert_int_equal(call(f, P9_TREAD, "dqd", 2, (uint64_t)1, 100), 0);
	assert_int_equal(f->got, P9_READ_HEAD + 4);
	assert_memory_equal(f->answer + P9_READ_HEAD, "ello", 4);
	assert_int_equal(call(f, P9_TREAD, "dqd", 2, (uint64_t)0, UINT32_MAX), 0);
	assert_int_equal(f->got, P9_READ_HEAD + 5);
	assert_int_equal(call(f, P9_TREAD, "dqd", 2, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(call(f, P9_TREAD, "dqd", 2, (uint64_t)INT64_MAX, 1), -EINVAL);
	assert_int_equal(call(f, P9_TWRITE, "dqdbbb", 2, (uint64_t)4, 3, 'A', 'B', 'C'), 0);
	assert_int_equal(call(f, P9_TWRITE, "dqdb", 2, (uint64_t)0, 2, 'X'), -EINVAL);
	assert_int_equal(call(f, P9_TWRITE, "dqd", 2, (uint64_t)0, UINT32_MAX), -EINVAL);
	assert_int_equal(call(f, P9_TREAD, "dqd", 2, (uint64_t)0, 100), 0);
	assert_memory_equal(f->answer + P9_READ_HEAD, "hellABC", 7);
	assert_int_equal(call(f, P9_TFSYNC, "dd", 2, 1), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, 0), -EINVAL);
	assert_int_equal(call(f, P9_TREADDIR, "dqd", 2, (uint64_t)0, 100), -ENOTDIR);
}

static void lists(void **state)
{
	struct fixture *f = *state;
	unsigned names = 0, calls = 0;
	uint64_t at = 0;

	assert_int_equal(walk(f, ROOT, 2, NULL), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, 0), 0);
	for (;; calls++) {
		uint32_t n;
		const uint8_t *p = f->answer + P9_READ_HEAD;

		assert_int_equal(call(f, P9_TREADDIR, "dqd", 2, at, 60), 0);
		memcpy(&n, f->answer + 7, 4);
		if (n == 0)
			break;
		for (const uint8_t *end = p + n; p < end; names++) {
			uint16_t len;

			memcpy(&at, p + P9_QID_BYTES, 8);
			memcpy(&len, p + P9_QID_BYTES + 9, 2);
			p += P9_QID_BYTES + 11 + len;
			assert_true(p <= end);
		}
	}
	assert_int_equal(names, 8); /* . .. sub file abs rel up fifo */
	assert_true(calls > 3);
	assert_int_equal(call(f, P9_TREADDIR, "dqd", 2, (uint64_t)0, 10), -EINVAL);
	assert_int_equal(call(f, P9_TREAD, "dqd", 2, (uint64_t)0, 10), -EISDIR);
}

static void read_only(void **state)
{
	struct fixture *f = *state;

	p9_server_free(f->s);
	start(f, true);
	assert_int_equal(call(f, P9_TMKDIR, "dsdd", ROOT, "new", 0755, 0), -EROFS);
	assert_int_equal(call(f, P9_TUNLINKAT, "dsd", ROOT, "file", 0), -EROFS);
	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_WRONLY), -EROFS);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR), -EROFS);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_TRUNC), -EROFS);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, 0), 0);
	assert_int_equal(call(f, P9_TWRITE, "dqdb", 2, (uint64_t)0, 1, 'X'), -EROFS);
	assert_int_equal(call(f, P9_TREMOVE, "d", 2), -EROFS);
	assert_int_equal(p9_server_fids(f->s), 1);
}

/* A client that never lets go runs into the limit, not the monitor out of descriptors. */
static void fids_are_limited(void **state)
{
	struct fixture *f = *state;
	struct rlimit files;
	uint32_t i;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (i = 2; walk(f, ROOT, i, NULL) == 0; i++)
		assert_true(i < 10 * P9_FIDS_MAX);
	if (files.rlim_cur > P9_FIDS_MAX + 64)
		assert_int_equal(p9_server_fids(f->s), P9_FIDS_MAX);
	assert_int_equal(call(f, P9_TVERSION, "ds", 16384, P9_VERSION), 0);
	assert_int_equal(p9_server_fids(f->s), 0);
}

static void unlinked_and_renamed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR), 0);
	assert_int_equal(walk(f, ROOT, 3, "sub"), 0);
	assert_int_equal(call(f, P9_TLINK, "dds", 3, 2, "again"), 0);
	assert_int_equal(call(f, P9_TRENAMEAT, "dsds", ROOT, "file", 3, "moved"), 0);
	assert_int_equal(call(f, P9_TUNLINKAT, "dsd", 3, "moved", 0), 0);
	assert_int_equal(call(f, P9_TUNLINKAT, "dsd", 3, "again", 0), 0);
	assert_int_equal(call(f, P9_TREAD, "dqd", 2, (uint64_t)0, 100), 0);
	assert_memory_equal(f->answer + P9_READ_HEAD, "hello", 5);
	assert_int_equal(call(f, P9_TGETATTR, "dq", 2, (uint64_t)0), 0);
	assert_int_equal(f->answer[7 + 8 + 13 + 12], 0); /* nlink */
	assert_int_equal(call(f, P9_TUNLINKAT, "dsd", ROOT, "sub", P9_UNLINK_DIR), 0);
	assert_int_equal(walk(f, 3, 4, "again"), -ENOENT);
}

static void sizes_times_locks(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(
		call(f, P9_TSETATTR,
			"ddddd"
			"qqqqq",
			2, P9_SETATTR_SIZE | P9_SETATTR_MTIME | P9_SETATTR_MTIME_SET, 0, 0, 0,
			(uint64_t)2, (uint64_t)0, (uint64_t)0, (uint64_t)1000, (uint64_t)5),
		0);
	assert_int_equal(stat(path_of(f, "in/file"), &st), 0);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
	assert_int_equal(call(f, P9_TSETATTR,
				 "ddddd"
				 "qqqqq",
				 2, P9_SETATTR_MTIME | P9_SETATTR_MTIME_SET, 0, 0, 0, (uint64_t)0,
				 (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)UTIME_NOW),
		-EINVAL);
	assert_int_equal(
		call(f, P9_TLOCK, "dbdqqds", 2, 1, 0, (uint64_t)0, (uint64_t)0, 1, ""), -EBADF);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR), 0);
	assert_int_equal(walk(f, ROOT, 3, "file"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 3, P9_OPEN_RDWR), 0);
	assert_int_equal(call(f, P9_TLOCK, "dbdqqds", 2, 1, 0, (uint64_t)0, (uint64_t)0, 1, ""), 0);
	assert_int_equal(f->answer[7], P9_LOCK_SUCCESS);
	assert_int_equal(call(f, P9_TLOCK, "dbdqqds", 3, 1, 0, (uint64_t)5, (uint64_t)1, 1, ""), 0);
	assert_int_equal(f->answer[7], P9_LOCK_BLOCKED);
	assert_int_equal(call(f, P9_TGETLOCK, "dbqqds", 3, 1, (uint64_t)5, (uint64_t)1, 1, ""), 0);
	assert_int_equal(f->answer[7], P9_LOCK_WRITE);
	assert_int_equal(
		call(f, P9_TLOCK, "dbdqqds", 3, 9, 0, (uint64_t)5, (uint64_t)1, 1, ""), -EINVAL);
	/* flock(2)'s meet only their like */
	assert_int_equal(
		call(f, P9_TLOCK, "dbdqqds", 3, 1, 0, (uint64_t)0, (uint64_t)0, 1, P9_LOCK_FLOCK),
		0);
	assert_int_equal(f->answer[7], P9_LOCK_SUCCESS);
	assert_int_equal(
		call(f, P9_TLOCK, "dbdqqds", 2, 0, 0, (uint64_t)0, (uint64_t)0, 1, P9_LOCK_FLOCK),
		0);
	assert_int_equal(f->answer[7], P9_LOCK_BLOCKED);
	assert_int_equal(
		call(f, P9_TLOCK, "dbdqqds", 3, 2, 0, (uint64_t)0, (uint64_t)0, 1, P9_LOCK_FLOCK),
		0);
	assert_int_equal(
		call(f, P9_TLOCK, "dbdqqds", 2, 0, 0, (uint64_t)0, (uint64_t)0, 1, P9_LOCK_FLOCK),
		0);
	assert_int_equal(f->answer[7], P9_LOCK_SUCCESS);
	assert_int_equal(call(f, P9_TSTATFS, "d", 2), 0);
}

static int set_value(
	struct fixture *f, uint32_t fid, const char *name, const char *value, uint32_t flags)
{
	int r = call(f, P9_TXATTRCREATE, "dsqd", fid, name, (uint64_t)strlen(value), flags);

	if (r == 0 && *value) {
		begin(f, P9_TWRITE, "dqd", fid, (uint64_t)0, (uint32_t)strlen(value));
		put(f, value, strlen(value));
		r = go(f);
	}
	return r < 0 ? r : call(f, P9_TCLUNK, "d", fid);
}

static void attributes(void **state)
{
	struct fixture *f = *state;
	uint64_t size;

	write_file(f, "in/file", "x");
	if (setxattr(path_of(f, "in/file"), "user.host", "from here", 9, 0) < 0)
		skip(); /* this file system has none */
	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 3, "user.host"), 0);
	memcpy(&size, f->answer + 7, sizeof(size));
	assert_int_equal(size, 9);
	assert_int_equal(call(f, P9_TREAD, "dqd", 3, (uint64_t)5, 100), 0);
	assert_memory_equal(f->answer + P9_READ_HEAD, "here", 4);
	assert_int_equal(call(f, P9_TREAD, "dqd", 3, (uint64_t)500, 100), 0);
	begin(f, P9_TWRITE, "dqd", 3, (uint64_t)0, 1);
	put(f, "x", 1);
	assert_int_equal(go(f), -EBADF);
	assert_int_equal(call(f, P9_TCLUNK, "d", 3), 0);
	assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 3, "user.none"), -ENODATA);
	assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 2, "user.host"), -EINVAL);
	assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 3, "security.selinux"), -EOPNOTSUPP);
	assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 3, "user."), -EOPNOTSUPP);

	assert_int_equal(walk(f, ROOT, 4, "file"), 0);
	assert_int_equal(set_value(f, 4, "user.guest", "value", 0), 0);
	assert_int_equal(getxattr(path_of(f, "in/file"), "user.guest", NULL, 0), 5);
	assert_int_equal(walk(f, ROOT, 4, "file"), 0);
	assert_int_equal(set_value(f, 4, "user.guest", "value", XATTR_CREATE), -EEXIST);
	assert_int_equal(walk(f, ROOT, 4, "file"), 0);
	assert_int_equal(set_value(f, 4, "user.guest", "", XATTR_REPLACE), 0);
	assert_int_equal(getxattr(path_of(f, "in/file"), "user.guest", NULL, 0), -1);
	/* less written than said: nothing is set */
	assert_int_equal(walk(f, ROOT, 4, "file"), 0);
	assert_int_equal(
		call(f, P9_TXATTRCREATE, "dsqd", 4, "user.guest", (uint64_t)P9_XATTR_MAX + 1, 0),
		-E2BIG);
	assert_int_equal(
		call(f, P9_TXATTRCREATE, "dsqd", 4, "trusted.x", (uint64_t)5, 0), -EOPNOTSUPP);
	assert_int_equal(
		call(f, P9_TXATTRCREATE, "dsqd", 4, "user.guest", (uint64_t)5, 8), -EINVAL);
	assert_int_equal(call(f, P9_TXATTRCREATE, "dsqd", 4, "user.guest", (uint64_t)5, 0), 0);
	assert_int_equal(
		call(f, P9_TXATTRCREATE, "dsqd", 4, "user.guest", (uint64_t)5, 0), -EINVAL);
	assert_int_equal(call(f, P9_TREAD, "dqd", 4, (uint64_t)0, 5), -EBADF);
	begin(f, P9_TWRITE, "dqd", 4, (uint64_t)1, 1);
	put(f, "x", 1);
	assert_int_equal(go(f), -EINVAL);
	assert_int_equal(call(f, P9_TCLUNK, "d", 4), -EINVAL);
	assert_int_equal(getxattr(path_of(f, "in/file"), "user.guest", NULL, 0), -1);
	/* how many there may be; what is left goes with the session */
	for (uint32_t i = 0; i < P9_XATTRS_MAX; i++)
		assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 100 + i, ""), 0);
	assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 99, ""), -ENFILE);
	assert_int_equal(call(f, P9_TCLUNK, "d", 100), 0);
	assert_int_equal(call(f, P9_TXATTRWALK, "dds", 2, 99, ""), 0);
}

static void attributes_read_only(void **state)
{
	struct fixture *f = *state;

	p9_server_free(f->s);
	start(f, true);
	assert_int_equal(
		call(f, P9_TXATTRCREATE, "dsqd", ROOT, "user.guest", (uint64_t)5, 0), -EROFS);
}

/* As serve_now() has it; -EAGAIN: left for who may wait. */
static ssize_t hurry(struct fixture *f, enum p9_haste haste)
{
	uint32_t size = (uint32_t)f->len;
	struct iovec in = {f->msg, f->len}, out = {f->answer, f->room};

	memcpy(f->msg, &size, 4);
	return p9_server_serve_now(f->s, &in, 1, &out, 1, haste);
}

static void write_in_haste(struct fixture *f, uint32_t fid, uint64_t at)
{
	begin(f, P9_TWRITE, "dqd", fid, at, 4);
	put(f, "fast", 4);
}

/* Who does nothing else may write into the page cache of any local file system; what would wait for the disk is left in any case. */
static void in_haste(void **state)
{
	struct fixture *f = *state;
	char text[9] = "";
	ssize_t n;
	int fd;

	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR), 0);
	write_in_haste(f, 2, 0);
	n = hurry(f, P9_NOW);
	assert_true(n == 11 || n == -EAGAIN); /* the file system's to say */
	write_in_haste(f, 2, 4);
	assert_int_equal(hurry(f, P9_SOON), 11);
	assert_int_equal(f->answer[4], P9_TWRITE + 1);
	fd = open(path_of(f, "in/file"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, text, 4, 4), 4);
	assert_string_equal(text, "fast");
	close(fd);
	begin(f, P9_TFSYNC, "dd", 2, 0);
	assert_int_equal(hurry(f, P9_SOON), -EAGAIN);
	begin(f, P9_TWALK, "ddws", ROOT, 3, 1, "file");
	assert_int_equal(hurry(f, P9_SOON), -EAGAIN);
	/* who opened it to have each write on the disk */
	assert_int_equal(walk(f, ROOT, 4, "file"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 4, P9_OPEN_RDWR | P9_OPEN_SYNC), 0);
	write_in_haste(f, 4, 0);
	n = hurry(f, P9_NOW);
	write_in_haste(f, 4, 0);
	assert_int_equal(hurry(f, P9_SOON), n);
}

/* A descriptor is closed by whoever serves, but not one that is the last of a file without a name, nor one that sets an attribute. */
static void closes_in_haste(void **state)
{
	struct fixture *f = *state;
	unsigned before = p9_server_fids(f->s);

	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR), 0);
	begin(f, P9_TCLUNK, "d", 2);
	assert_int_equal(hurry(f, P9_NOW), 7);
	assert_int_equal(f->answer[4], P9_TCLUNK + 1);
	assert_int_equal(p9_server_fids(f->s), before);
	begin(f, P9_TCLUNK, "d", 2);
	assert_int_equal(hurry(f, P9_NOW), 11); /* an error: there is no such fid now */

	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	assert_int_equal(unlink(path_of(f, "in/file")), 0);
	begin(f, P9_TCLUNK, "d", 2);
	assert_int_equal(hurry(f, P9_SOON), -EAGAIN);
	assert_int_equal(p9_server_fids(f->s), before + 1);
	assert_int_equal(call(f, P9_TCLUNK, "d", 2), 0);
}

static int sync_begin(struct fixture *f, size_t room, struct p9_sync *sync)
{
	uint32_t size = (uint32_t)f->len;
	struct iovec in = {f->msg, f->len}, out = {f->answer, room};

	memcpy(f->msg, &size, 4);
	return p9_server_sync_begin(f->s, &in, 1, &out, 1, sync);
}

/* A sync outlives the fid that it was for; what is no good one is left to be served, and gets its error there. */
static void syncs_apart(void **state)
{
	struct fixture *f = *state;
	struct iovec out = {f->answer, 11};
	struct p9_sync sync;

	assert_int_equal(walk(f, ROOT, 2, "file"), 0);
	begin(f, P9_TFSYNC, "dd", 2, 0);
	assert_int_equal(sync_begin(f, 11, &sync), -EAGAIN); /* not open */
	assert_int_equal(call(f, P9_TLOPEN, "dd", 2, P9_OPEN_RDWR), 0);
	begin(f, P9_TFSYNC, "dd", 3, 0);
	assert_int_equal(sync_begin(f, 11, &sync), -EAGAIN);
	begin(f, P9_TCLUNK, "dd", 2, 0);
	assert_int_equal(sync_begin(f, 11, &sync), -EAGAIN);
	begin(f, P9_TFSYNC, "d", 2); /* as older clients */
	assert_int_equal(sync_begin(f, 11, &sync), -EAGAIN);
	begin(f, P9_TFSYNC, "dd", 2, 1);
	assert_int_equal(sync_begin(f, 10, &sync), -EAGAIN);
	assert_int_equal(sync_begin(f, 11, &sync), 0);
	assert_int_equal(call(f, P9_TCLUNK, "d", 2), 0);
	assert_int_equal(p9_server_sync_end(&sync, &out, 1), 7);
	assert_int_equal(f->answer[4], P9_TFSYNC + 1);
	assert_memory_equal(f->answer + 5, f->msg + 5, 2); /* its tag */

	/* what can not be synced */
	sync.fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(p9_server_sync_end(&sync, &out, 1), 11);
	assert_int_equal(f->answer[4], P9_RLERROR);
	assert_int_equal(f->answer[7], EINVAL);
	assert_int_equal(fcntl(sync.fd, F_GETFD), -1);
}

static bool is_quick(struct fixture *f)
{
	struct iovec in = {f->msg, f->len};

	return p9_server_is_quick(f->s, &in, 1);
}

static void what_is_quick(void **state)
{
	struct fixture *f = *state;
	struct iovec none = {f->msg, 4};

	begin(f, P9_TWALK, "ddws", ROOT, 3, 1, "file");
	assert_true(is_quick(f));
	begin(f, P9_TFSYNC, "dd", 2, 0);
	assert_false(is_quick(f));
	begin(f, P9_TREAD, "dqd", 2, (uint64_t)0, 4);
	assert_false(is_quick(f));
	assert_false(p9_server_is_quick(f->s, &none, 1));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {T(no_name_leads_out), T(links_are_not_followed),
		T(no_special_files), T(no_powers), T(messages_that_lie), T(no_room_for_an_answer),
		T(reads_and_writes), T(lists), T(read_only), T(fids_are_limited),
		T(unlinked_and_renamed), T(sizes_times_locks), T(attributes),
		T(attributes_read_only), T(in_haste), T(closes_in_haste), T(syncs_apart),
		T(what_is_quick)};

	return cmocka_run_group_tests_name("p9", tests, NULL, NULL);
}
