/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the 9P server: records of length[2] and a message, whose size field is set right (unless the length's top bit is set); with the
 * bit below it the message is tried as a volume's device does, a sync apart and in haste, before it is served. The folder has a few files, and
 * a name beside it that must never be seen.
 */
#include "abi/p9.h"
#include "lib/err.h"
#include "vmm/p9/fid.h"
#include "vmm/p9/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char dir[] = "/tmp/uig-fuzz-p9-XXXXXX";
static ino_t secret; /* the file beside the folder */

static void clean(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		perror(dir);
}

static int folder(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/in", dir);
	if (mkdir(path, 0755) == 0) {
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(openat(fd, "a", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		if (symlinkat("../SECRET", fd, "s") < 0 || mkfifoat(fd, "f", 0644) < 0 ||
			mkdirat(fd, "d", 0755) < 0)
			abort();
		return fd;
	}
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[64];
	struct stat st;

	if (!mkdtemp(dir))
		abort();
	atexit(clean);
	snprintf(path, sizeof(path), "%s/SECRET", dir);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	if (stat(path, &st) < 0)
		abort();
	secret = st.st_ino;
	return 0;
}

/* A listing must not tell what lies beside the folder: by its inode, since the input may make files of any name. */
static void check_listing(const uint8_t *at, size_t n)
{
	const size_t fixed =
		P9_QID_BYTES + 8 + 1 + 2; /* qid offset[8] type[1] length of the name[2] */

	while (n >= fixed) {
		uint64_t ino;
		uint16_t len;

		memcpy(&ino, at + 5, sizeof(ino));
		memcpy(&len, at + fixed - 2, sizeof(len));
		if (ino == secret || n - fixed < len)
			abort();
		at += fixed + len;
		n -= fixed + len;
	}
	if (n)
		abort();
}

static void check(const uint8_t *answer, ssize_t n)
{
	uint32_t size;

	if (n < (ssize_t)P9_HEAD_BYTES || n > (ssize_t)ROOM)
		abort();
	memcpy(&size, answer, sizeof(size));
	if (size != (uint32_t)n)
		abort();
	if (answer[4] == P9_TREADDIR + 1 && n >= (ssize_t)P9_HEAD_BYTES + 4)
		check_listing(answer + P9_HEAD_BYTES + 4, (size_t)n - P9_HEAD_BYTES - 4);
}

static ssize_t serve_soon(struct p9_server *s, const struct iovec *in, const struct iovec *out)
{
	struct p9_sync sync;

	p9_server_is_quick(s, in, 2);
	if (p9_server_sync_begin(s, in, 2, out, 1, &sync) == 0)
		return p9_server_sync_end(&sync, out, 1);
	return p9_server_serve_now(s, in, 2, out, 1, P9_SOON);
}

static void serve(struct p9_server *s, uint8_t *msg, size_t n, bool honest, bool haste)
{
	uint8_t answer[ROOM];
	struct iovec in[2] = {{msg, n / 2}, {msg + n / 2, n - n / 2}};
	struct iovec out = {answer, sizeof(answer)};
	ssize_t got;

	if (honest && n >= 4)
		memcpy(msg, &(uint32_t){(uint32_t)n}, 4);
	got = haste ? serve_soon(s, in, &out) : -EAGAIN;
	if (got == -EAGAIN)
		got = p9_server_serve(s, in, 2, &out, 1);
	if (got >= 0)
		check(answer, got);
	if (p9_server_fids(s) > P9_FIDS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct p9_server *s;
	char path[64];

	if (size < 1 || p9_server_new(folder(), data[0] & 1, &s, NULL) < 0)
		return 0;
	data++;
	size--;
	while (size >= 2) {
		size_t n = (size_t)data[0] | (size_t)(data[1] & 0x3f) << 8;
		bool honest = !(data[1] & 0x80), haste = data[1] & 0x40;
		uint8_t *msg;

		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		msg = malloc(n ? n : 1);
		memcpy(msg, data, n);
		serve(s, msg, n, honest, haste);
		free(msg);
		data += n;
		size -= n;
	}
	p9_server_free(s);
	snprintf(path, sizeof(path), "%s/SECRET", dir);
	if (access(path, F_OK) < 0)
		abort();
	return 0;
}
