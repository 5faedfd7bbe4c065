/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that has sockets of AF_VSOCK, led by the host: a server on each of some ports, and on CONTROL one that takes orders, a line
 * a connection. Data is a pattern that its place gives, and is judged by its CRC-32 on both sides. CONTROL is the last to listen, so that the
 * first connection there finds everybody.
 */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL 1000
#define ECHO    1001 /* gives back what comes, then the end */
#define SINK    1002 /* says how much came, and its CRC */
#define SOURCE  1003 /* sends the number of bytes that a line asks for */
#define CLOSER  1004 /* closes at once */
#define HALF                                                                                       \
	1005 /* ends its own side first, then reads all, then says on CONTROL's console what came */
#define BLOCK 65536

static uint32_t crc_table[256];

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		crc_table[i] = c;
	}
}

static uint32_t crc(uint32_t c, const unsigned char *p, size_t n)
{
	c = ~c;
	while (n--)
		c = crc_table[(c ^ *p++) & 0xff] ^ c >> 8;
	return ~c;
}

static void pattern(unsigned char *p, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)((at + i) * 7 + ((at + i) >> 8) * 3 + ((at + i) >> 16));
}

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int send_pattern(int fd, uint64_t bytes, uint32_t *sum)
{
	unsigned char *block = malloc(BLOCK);
	int r = 0;

	for (uint64_t at = 0; at < bytes && r == 0;) {
		size_t n = bytes - at < BLOCK ? (size_t)(bytes - at) : BLOCK;

		pattern(block, n, at);
		*sum = crc(*sum, block, n);
		r = write_all(fd, block, n);
		at += n;
	}
	free(block);
	return r;
}

static int read_rest(int fd, uint64_t *bytes, uint32_t *sum)
{
	unsigned char *block = malloc(BLOCK);
	ssize_t n;

	while ((n = read(fd, block, BLOCK)) > 0) {
		*bytes += (uint64_t)n;
		*sum = crc(*sum, block, (size_t)n);
	}
	free(block);
	return n < 0 ? -errno : 0;
}

static int read_line(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n < size - 1 && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return n > 0 ? 0 : -1;
}

static void serve_echo(int fd)
{
	char *block = malloc(BLOCK);
	ssize_t n;

	while ((n = read(fd, block, BLOCK)) > 0 && write_all(fd, block, (size_t)n) == 0)
		;
	free(block);
}

static void serve_sink(int fd)
{
	uint64_t bytes = 0;
	uint32_t sum = 0;

	read_rest(fd, &bytes, &sum);
	dprintf(fd, "%llu %08x\n", (unsigned long long)bytes, sum);
}

static void serve_source(int fd)
{
	uint32_t sum = 0;
	char line[32];

	if (read_line(fd, line, sizeof(line)) == 0)
		send_pattern(fd, strtoull(line, NULL, 10), &sum);
}

static void serve_half(int fd)
{
	uint64_t bytes = 0;
	uint32_t sum = 0;

	dprintf(fd, "bye");
	shutdown(fd, SHUT_WR);
	read_rest(fd, &bytes, &sum);
	printf("half %llu %08x\n", (unsigned long long)bytes, sum);
	fflush(stdout);
}

static int to_port(unsigned port)
{
	struct sockaddr_vm a = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* Sends bytes to the host's port and ends its side, then takes what comes. */
static void dial(int control, unsigned port, uint64_t bytes)
{
	uint32_t out = 0, in = 0;
	uint64_t got = 0;
	int fd = to_port(port), r, r2;

	if (fd < 0) {
		dprintf(control, "refused %s\n", strerrorname_np(-fd));
		return;
	}
	r = send_pattern(fd, bytes, &out);
	shutdown(fd, SHUT_WR);
	r2 = read_rest(fd, &got, &in);
	close(fd);
	dprintf(control, "sent %d %08x got %d %llu %08x\n", r, out, r2, (unsigned long long)got,
		in);
}

/* As many connections at a time to one port of the host, each with a line of its own that comes back. */
static void many(int control, unsigned port, unsigned count)
{
	int *fd = calloc(count, sizeof(*fd));
	unsigned good = 0;
	char line[32], back[32];

	for (unsigned i = 0; i < count; i++)
		fd[i] = to_port(port);
	for (unsigned i = 0; i < count; i++) {
		if (fd[i] >= 0)
			dprintf(fd[i], "line %u\n", i);
	}
	for (unsigned i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "line %u", i);
		good += fd[i] >= 0 && read_line(fd[i], back, sizeof(back)) == 0 &&
			strcmp(line, back) == 0;
		if (fd[i] >= 0)
			close(fd[i]);
	}
	free(fd);
	dprintf(control, "good %u\n", good);
}

static void serve_control(int fd)
{
	unsigned long long number = 0;
	char line[64] = "";
	unsigned port = 0;

	read_line(fd, line, sizeof(line));
	if (sscanf(line, "dial %u %llu", &port, &number) == 2)
		dial(fd, port, number);
	else if (sscanf(line, "many %u %llu", &port, &number) == 2)
		many(fd, port, (unsigned)number);
	else if (strcmp(line, "exit") == 0)
		exit(0);
	else
		dprintf(fd, "what?\n");
}

static const struct server {
	unsigned port;
	void (*serve)(int fd);
} servers[] = {{ECHO, serve_echo}, {SINK, serve_sink}, {SOURCE, serve_source}, {CLOSER, NULL},
	{HALF, serve_half}, {CONTROL, serve_control}};

struct job {
	const struct server *server;
	int fd;
};

static void *connection(void *arg)
{
	struct job job = *(struct job *)arg;

	free(arg);
	job.server->serve(job.fd);
	close(job.fd);
	return NULL;
}

static void start(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	if (pthread_create(&thread, &attr, fn, arg))
		abort();
}

static void *serve_port(void *arg)
{
	struct job *server = arg;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		struct job *job = malloc(sizeof(*job));

		*job = (struct job){server->server, fd};
		if (job->server->serve) {
			start(connection, job);
		} else {
			close(fd);
			free(job);
		}
	}
	perror("accept");
	exit(1);
}

static int listener(unsigned port)
{
	struct sockaddr_vm a = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 128) < 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

int main(void)
{
	static struct job job[sizeof(servers) / sizeof(servers[0])];
	unsigned n = sizeof(servers) / sizeof(servers[0]);

	make_table();
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < n; i++) {
		job[i] = (struct job){&servers[i], listener(servers[i].port)};
		if (i + 1 < n)
			start(serve_port, &job[i]);
	}
	printf("ready\n");
	fflush(stdout);
	serve_port(&job[n - 1]);
	return 1;
}
