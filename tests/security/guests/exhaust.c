/* SPDX-License-Identifier: Apache-2.0 */
/* Everything taken until there is no more: the libOS refuses as Linux does, and works again when it is given back. Exit status
 * 0: it did. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE    (1u << 20)
#define MANY     10000
#define MILLION  (1u << 20) /* fs.nr_open: as many as may be asked for */
#define FLOOD    (100u << 20)
#define MISMATCH 7

static int touch_all(void)
{
	static void *piece[1 << 16];
	unsigned n = 0;
	int error;

	while (n < sizeof(piece) / sizeof(piece[0])) {
		piece[n] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (piece[n] == MAP_FAILED)
			break;
		memset(piece[n++], 0x5a, PIECE);
	}
	error = errno;
	for (unsigned i = 0; i < n; i++)
		munmap(piece[i], PIECE);
	say("mmap: %s after some: %d\n", strerror(error), n > 4);
	return n > 4 && error == ENOMEM ? 0 : MISMATCH;
}

static int malloc_all(void)
{
	void *first = NULL, *p;
	unsigned n = 0;

	while (n < 1 << 20 && (p = malloc(PIECE / 2))) {
		memset(p, 1, PIECE / 2);
		*(void **)p = first;
		first = p;
		n++;
	}
	say("malloc: %s\n", p ? "never ends" : strerror(errno));
	while (first) {
		p = *(void **)first;
		free(first);
		first = p;
	}
	return n > 4 && n < 1 << 20 ? 0 : MISMATCH;
}

/* Reserved without memory, then touched: Linux ends such a program by SIGKILL or SIGBUS, never itself. */
static int overcommit(void)
{
	size_t bytes = 64ull << 30;
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		say("reserve: %s\n", strerror(errno));
		return 0;
	}
	for (size_t at = 0; at < bytes; at += 4096)
		p[at] = 1;
	return MISMATCH;
}

/* Descriptors until the limit, all closed, and one more. Their number, or -1; *error: what ended it. */
static int take_and_close(const char *what, int (*make)(int n), int *error)
{
	static int fd[MILLION];
	int n = 0, again;

	memset(fd, 0xff, sizeof(fd)); /* its own memory, while there is some */
	while (n < (int)MILLION && (fd[n] = make(n)) >= 0)
		n++;
	*error = n < (int)MILLION ? errno : 0;
	for (int i = 0; i < n; i++)
		close(fd[i]);
	again = make(0);
	say("%s: %d, then %s; again: %d\n", what, n, *error ? strerror(*error) : "all", again >= 0);
	if (again >= 0)
		close(again);
	return again >= 0 ? n : -1;
}

static int descriptors(const char *what, int (*make)(int n))
{
	int error;

	return take_and_close(what, make, &error) > 500 && error == EMFILE ? 0 : MISMATCH;
}

static int one_socket(int n)
{
	return socket(n % 3 == 2 ? AF_UNIX : AF_INET, n % 3 ? SOCK_DGRAM : SOCK_STREAM, 0);
}

static int one_file(int n)
{
	char name[32];

	snprintf(name, sizeof(name), "/tmp/f%d", n);
	return open(name, O_RDWR | O_CREAT, 0600);
}

static int sockets(void)
{
	return descriptors("socket", one_socket);
}

static int files(void)
{
	mkdir("/tmp", 0777);
	return descriptors("file", one_file);
}

static int one_pipe(int n)
{
	int p[2];

	if (pipe(p) < 0)
		return -1;
	if (n % 16 == 0 && write(p[1], "x", 1) != 1) { /* its buffer: a page */
		close(p[0]);
		close(p[1]);
		errno = ENOMEM;
		return -1;
	}
	if (n % 2) {
		close(p[1]);
		return p[0];
	}
	close(p[0]);
	return p[1];
}

static int one_event(int n)
{
	return n % 2 ? eventfd(0, 0) : epoll_create1(0);
}

/* A million of each is allowed, and more than there is memory for: an error, and all works again when they are closed. */
static int million(void)
{
	static const struct {
		const char *name;
		int (*make)(int n);
	} kind[] = {{"sockets", one_socket}, {"files", one_file}, {"pipes", one_pipe},
		{"events", one_event}};
	struct rlimit all = {MILLION, MILLION};
	int rc = 0;

	mkdir("/tmp", 0777);
	if (setrlimit(RLIMIT_NOFILE, &all) < 0)
		return MISMATCH;
	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		int error, n = take_and_close(kind[i].name, kind[i].make, &error);

		if (n < 5000 ||
			(error != ENOMEM && error != ENOBUFS && error != ENOSPC && error != EMFILE))
			rc = MISMATCH;
	}
	return rc;
}

/* A file of all memory: ENOSPC, and after it is gone there is room. */
static int fill(void)
{
	static char data[PIECE];
	unsigned n = 0;
	int fd, error;

	mkdir("/tmp", 0777);
	fd = open("/tmp/big", O_RDWR | O_CREAT, 0600);
	while (fd >= 0 && n < 1 << 16 && write(fd, data, sizeof(data)) > 0)
		n++;
	error = errno;
	close(fd);
	unlink("/tmp/big");
	fd = open("/tmp/small", O_RDWR | O_CREAT, 0600);
	say("file system: %s; again: %d\n", strerror(error),
		fd >= 0 && write(fd, data, sizeof(data)) == sizeof(data));
	return error == ENOSPC || error == ENOMEM || error == EFBIG ? 0 : MISMATCH;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *stand(void *arg)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return arg;
}

static int threads(void)
{
	static pthread_t thread[MANY];
	pthread_attr_t attr;
	int n = 0, error = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	pthread_mutex_lock(&gate);
	while (n < MANY && (error = pthread_create(&thread[n], &attr, stand, NULL)) == 0)
		n++;
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	say("threads: %d, then %s\n", n, error ? strerror(error) : "all");
	return n > 100 && (error == 0 || error == EAGAIN) ? 0 : MISMATCH;
}

static int small_maps(void)
{
	int n = 0, error;

	for (; n < 1 << 20; n++) {
		void *p = mmap(NULL, 4096, n % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			break;
	}
	error = errno;
	say("areas: %s\n", n < 1 << 20 ? strerror(error) : "all");
	return n > 1000 && (n == 1 << 20 || error == ENOMEM) ? 0 : MISMATCH;
}

/* Far beyond any limit of a log; the program is not held up for it. */
static int console(void)
{
	static char data[65536];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i % 80 == 79 ? '\n' : (char)('a' + i % 26);
	for (unsigned done = 0; done < FLOOD; done += sizeof(data)) {
		if (write(1, data, sizeof(data)) < 0)
			return MISMATCH;
	}
	return 0;
}

/* Lines without end, and what a terminal or a log reader might choke on. */
static int console_rubbish(void)
{
	static uint64_t data[8192];

	for (unsigned round = 0; round < 64; round++) {
		for (unsigned i = 0; i < 8192; i++)
			data[i] = round % 2 ? 0 : rubbish();
		if (write(1, data, sizeof(data)) < 0)
			return MISMATCH;
	}
	return 0;
}

/* Reads the image again and again, by what has not been read before: its files through the direct map. */
static int cold_code(void)
{
	const volatile uint8_t *byte = ram(UIG_GPA_IMAGE);
	uint64_t bytes = bootinfo()->image_bytes;
	uint64_t sum = 0;

	for (;;) {
		for (uint64_t at = 0; at < bytes; at += 4096)
			sum += byte[at];
		usleep(1000);
	}
	return (int)sum;
}

const struct attack exhaust_attacks[] = {
	{"touch-all", touch_all},
	{"malloc-all", malloc_all},
	{"overcommit", overcommit},
	{"sockets", sockets},
	{"files", files},
	{"million", million},
	{"fill", fill},
	{"threads", threads},
	{"small-maps", small_maps},
	{"cold-code", cold_code},
	{"console", console},
	{"console-rubbish", console_rubbish},
	{0},
};
