/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that tells what a program sees of its instance: one line in, one line out, on TCP port 7777 and as long as the connection lasts. It also
 * listens on port 7778 and never accepts, computes in a thread when told to, and keeps a pattern in memory that nobody may change.
 *
 *   random          32 bytes each of getrandom(), /dev/urandom, and the kernel's uuid and boot_id
 *   clocks          CLOCK_REALTIME and CLOCK_MONOTONIC in ns, and the longest step backwards of the latter seen so far
 *   names           host name, and the address that the socket has here
 *   file PATH       its contents, newlines as commas
 *   memory          "whole" as long as the pattern is
 *   touch MIB       takes, touches and gives back so much memory
 *   fill MIB C      keeps so much memory, all of it the character C
 *   filled          that character; "mixed" when it is not all the same
 *   spin            a thread that computes for ever, and says nothing
 *   spins           how far it has come
 *   float           a sum that has been kept in vector registers by a thread of its own since the start
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT          7777
#define PATTERN_BYTES (2u << 20)
#define KEEP_MIB      200u

static unsigned char *pattern;
static char *kept;
static size_t kept_bytes;
static volatile unsigned long spins;
static volatile double sum;
static long long last_mono, back;

static long long now_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void *spin(void *arg)
{
	for (;;)
		spins = spins + 1;
	return arg;
}

/* Its state is in registers nearly all the time. */
static void *add_up(void *arg)
{
	for (double x = 1, s = 0;; x += 1) {
		s += x;
		sum = s;
		if (s != x * (x + 1) / 2 && x < 1e7)
			sum = NAN;
		if (x > 1e6)
			x = s = 0;
	}
	return arg;
}

static void read_text(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, to, size - 1);

	to[n > 0 ? n : 0] = '\0';
	for (char *p = to; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ',' : '\0';
	if (fd >= 0)
		close(fd);
}

static void hex(const unsigned char *bytes, unsigned n, char *to)
{
	for (unsigned i = 0; i < n; i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

static void do_random(char *out, size_t size)
{
	unsigned char a[32] = {0}, b[32] = {0};
	char ha[65], hb[65], uuid[64], boot[64];
	int fd = open("/dev/urandom", O_RDONLY);

	if (getrandom(a, sizeof(a), 0) != sizeof(a) || read(fd, b, sizeof(b)) != sizeof(b))
		strcpy(ha, "failed");
	close(fd);
	hex(a, sizeof(a), ha);
	hex(b, sizeof(b), hb);
	read_text("/proc/sys/kernel/random/uuid", uuid, sizeof(uuid));
	read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	snprintf(out, size, "%s %s %s %s", ha, hb, uuid, boot);
}

static void do_clocks(char *out, size_t size)
{
	long long mono = now_ns(CLOCK_MONOTONIC);

	if (last_mono - mono > back)
		back = last_mono - mono;
	last_mono = mono;
	snprintf(out, size, "%lld %lld %lld", now_ns(CLOCK_REALTIME), mono, back);
}

static void do_names(int s, char *out, size_t size)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	char name[128] = "";

	gethostname(name, sizeof(name));
	getsockname(s, (struct sockaddr *)&at, &len);
	snprintf(out, size, "%s %s", name, inet_ntoa(at.sin_addr));
}

static void do_touch(unsigned mib, char *out, size_t size)
{
	size_t bytes = (size_t)mib << 20;
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool zero = p != MAP_FAILED;

	for (size_t i = 0; zero && i < bytes; i += 4096) {
		zero = p[i] == 0 && p[i + 4095] == 0;
		p[i] = p[i + 4095] = 'x';
	}
	if (p != MAP_FAILED)
		munmap(p, bytes);
	snprintf(out, size, zero ? "zero" : "not zero");
}

/* MIB c: so much memory is kept, all of it c. */
static void do_fill(const char *args, char *out, size_t size)
{
	unsigned mib = 0;
	char c = 0;
	size_t bytes;

	if (sscanf(args, "%u %c", &mib, &c) != 2 || mib > KEEP_MIB) {
		snprintf(out, size, "what?");
		return;
	}
	bytes = (size_t)mib << 20;
	if (!kept)
		kept = mmap(NULL, (size_t)KEEP_MIB << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	memset(kept, c, bytes);
	kept_bytes = bytes;
	snprintf(out, size, "%c", c);
}

static void do_filled(char *out, size_t size)
{
	for (size_t i = 1; i < kept_bytes; i++) {
		if (kept[i] != kept[0]) {
			snprintf(out, size, "mixed");
			return;
		}
	}
	snprintf(out, size, "%c", kept_bytes ? kept[0] : '-');
}

static void make_pattern(void)
{
	pattern = mmap(
		NULL, PATTERN_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < PATTERN_BYTES; i++)
		pattern[i] = (unsigned char)(i * 7 + i / 4096);
}

static bool pattern_whole(void)
{
	for (unsigned i = 0; i < PATTERN_BYTES; i++)
		if (pattern[i] != (unsigned char)(i * 7 + i / 4096))
			return false;
	return true;
}

static void answer(int s, const char *line, char *out, size_t size)
{
	pthread_t thread;

	if (strcmp(line, "random") == 0)
		do_random(out, size);
	else if (strcmp(line, "clocks") == 0)
		do_clocks(out, size);
	else if (strcmp(line, "names") == 0)
		do_names(s, out, size);
	else if (strncmp(line, "file ", 5) == 0)
		read_text(line + 5, out, size);
	else if (strcmp(line, "memory") == 0)
		snprintf(out, size, pattern_whole() ? "whole" : "changed");
	else if (strncmp(line, "touch ", 6) == 0)
		do_touch((unsigned)atoi(line + 6), out, size);
	else if (strncmp(line, "fill ", 5) == 0)
		do_fill(line + 5, out, size);
	else if (strcmp(line, "filled") == 0)
		do_filled(out, size);
	else if (strcmp(line, "spin") == 0)
		snprintf(out, size, "%d", pthread_create(&thread, NULL, spin, NULL));
	else if (strcmp(line, "spins") == 0)
		snprintf(out, size, "%lu", spins);
	else if (strcmp(line, "add") == 0)
		snprintf(out, size, "%d", pthread_create(&thread, NULL, add_up, NULL));
	else if (strcmp(line, "sum") == 0)
		snprintf(out, size, sum > 0 ? "right" : "wrong");
	else
		snprintf(out, size, "what?");
}

static void *serve(void *arg)
{
	int s = (int)(long)arg;
	char line[256], out[4096];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(s, line + n, 1) == 1) {
		if (line[n++] != '\n')
			continue;
		line[n - 1] = '\0';
		out[0] = '\0';
		answer(s, line, out, sizeof(out) - 1);
		strcat(out, "\n");
		if (write(s, out, strlen(out)) < 0)
			break;
		n = 0;
	}
	close(s);
	return NULL;
}

static int listen_on(unsigned short port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s, 64) < 0)
		exit(1);
	return s;
}

int main(void)
{
	int s;

	make_pattern();
	s = listen_on(PORT);
	listen_on(PORT + 1);
	for (;;) {
		int c = accept(s, NULL, NULL);
		pthread_t thread;

		if (c < 0)
			continue;
		if (pthread_create(&thread, NULL, serve, (void *)(long)c) == 0)
			pthread_detach(thread);
		else
			close(c);
	}
}
