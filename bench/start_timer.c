/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_timer: times one start after another, for bench/cold-start. It runs in the namespace of the instances and
 * reads one command a line:
 *
 *   vm SOCKET PORT PATH BODY     POST /vm/run with BODY to the manager's Unix socket, then GET PATH from the instance
 *   exec PORT PATH PROGRAM ARG...   fork and exec, then GET PATH from 127.0.0.1; the process is ended after the answer
 *
 * A PATH that does not begin with "/" is a line to send instead, for other protocols than HTTP: any line is an answer to it.
 * The clock starts before the connection to the manager, or the fork, and ends with the first complete "HTTP/1.1 200" line.
 * A refused connection is tried again after 20 us, one without an answer after 20 ms (its first packet came before the guest
 * could take it, and TCP repeats only after a second): this is part of each result, the same for every kind.
 * Answers: "ok NS ATTEMPTS ADDRESS ID ASKED TOLD CONNECTED", "error SENTENCE". The last three are the client's steps, in ns as well: the manager
 * is asked, it has answered (for a process: it is forked), the connection that was answered stands.
 */
#include "lib/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define LINE_BYTES 4096
#define RETRY_NS   20000
#define CONNECT_US 20000
#define LIMIT_NS   (60 * NS_PER_S)
#define ARGS_MAX   16

struct result {
	int64_t ns, from_ns, asked_ns, told_ns, connected_ns; /* but from_ns: since that */
	unsigned attempts;
	char address[INET_ADDRSTRLEN], id[64];
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Reads until the text ends with what, the peer closes, or the room is used up; the length or -errno. */
static ssize_t read_until(int fd, char *text, size_t room, const char *what)
{
	size_t len = 0;

	while (len + 1 < room) {
		ssize_t n = read(fd, text + len, room - 1 - len);

		if (n < 0)
			return -errno;
		len += (size_t)n;
		text[len] = '\0';
		if (n == 0 || strstr(text, what))
			break;
	}
	return (ssize_t)len;
}

/* Copies the string value of a member of flat JSON as the manager writes it. */
static bool json_string(const char *json, const char *name, char *value, size_t room)
{
	char key[64];
	const char *p;
	size_t n;

	snprintf(key, sizeof(key), "\"%s\"", name);
	p = strstr(json, key);
	if (!p)
		return false;
	p += strlen(key);
	p += strspn(p, ": ");
	if (*p++ != '"')
		return false;
	n = strcspn(p, "\"");
	if (n >= room)
		return false;
	memcpy(value, p, n);
	value[n] = '\0';
	return true;
}

static int post_run(const char *path, const char *body, struct result *result, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[LINE_BYTES + 512];
	int len;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return err_set(err, EINVAL, "cannot use the socket %s", path);
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, errno, "cannot connect to %s", path);
	len = snprintf(text, sizeof(text),
		"POST /vm/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		strlen(body), body);
	if (write(fd, text, (size_t)len) != len)
		return err_sys(err, errno, "cannot write to %s", path);
	result->asked_ns = now_ns() - result->from_ns;
	if (read_until(fd, text, sizeof(text), "\"ip_address\"") <= 0)
		return err_set(err, EIO, "the manager gave no answer");
	if (strncmp(text, "HTTP/1.1 201", 12) != 0)
		return err_set(err, EIO, "the manager refused: %s",
			strchr(text, '{') ? strchr(text, '{') : text);
	/* The answer begins with both; the value may still be on its way. */
	for (size_t n = strlen(text);
		!json_string(text, "ip_address", result->address, sizeof(result->address));) {
		if (read_until(fd, text + n, sizeof(text) - n, "}") <= 0)
			return err_set(err, EIO, "the manager's answer has no address");
		n = strlen(text);
	}
	json_string(text, "id", result->id, sizeof(result->id));
	return 0;
}

/* One connection and request: 1 answered by 200, 0 try again, -errno. */
static int attempt(
	const struct sockaddr_in *address, const char *path, struct result *result, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = {30, 0}, patience = {0, CONNECT_US};
	bool http = *path == '/';
	char text[1024];
	ssize_t n;
	int len;

	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		if (errno == ECONNREFUSED || errno == ECONNRESET || errno == EHOSTUNREACH ||
			errno == EINPROGRESS)
			return 0;
		return err_sys(err, errno, "cannot connect to the service");
	}
	result->connected_ns = now_ns() - result->from_ns;
	len = snprintf(text, sizeof(text),
		http ? "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" : "%s\r\n", path);
	if (write(fd, text, (size_t)len) != len)
		return 0;
	n = read_until(fd, text, sizeof(text), "\r\n");
	if (n == -ECONNRESET)
		return 0;
	if (n < 2 ||
		(http && (strncmp(text, "HTTP/1.", 7) != 0 || strncmp(text + 8, " 200", 4) != 0)))
		return err_set(err, EIO, "the service answered: %.60s", n > 0 ? text : "nothing");
	return 1;
}

static int first_answer(const char *ip, int port, const char *path, int64_t limit,
	struct result *result, struct err *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const struct timespec pause = {0, RETRY_NS};

	if (inet_pton(AF_INET, ip, &address.sin_addr) != 1)
		return err_set(err, EINVAL, "\"%s\" is no address", ip);
	while (now_ns() < limit) {
		int r = attempt(&address, path, result, err);

		result->attempts++;
		if (r != 0)
			return r;
		nanosleep(&pause, NULL);
	}
	return err_set(err, ETIMEDOUT, "no answer from %s after %u attempts", ip, result->attempts);
}

static int time_vm(char **arg, int n, struct result *result, struct err *err)
{
	int r;

	result->from_ns = now_ns();
	if (n != 4)
		return err_set(err, EINVAL, "vm SOCKET PORT PATH BODY");
	r = post_run(arg[0], arg[3], result, err);
	if (r < 0)
		return r;
	result->told_ns = now_ns() - result->from_ns;
	r = first_answer(
		result->address, atoi(arg[1]), arg[2], result->from_ns + LIMIT_NS, result, err);
	result->ns = now_ns() - result->from_ns;
	return r;
}

static int time_exec(char **arg, int n, struct result *result, struct err *err)
{
	pid_t pid;
	int r;

	result->from_ns = now_ns();
	if (n < 3)
		return err_set(err, EINVAL, "exec PORT PATH PROGRAM ARG...");
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		setpgid(0, 0);
		execv(arg[2], arg + 2);
		_exit(127);
	}
	if (pid < 0)
		return err_sys(err, errno, "cannot fork");
	setpgid(pid, pid); /* whoever is first */
	result->told_ns = now_ns() - result->from_ns;
	strcpy(result->address, "127.0.0.1");
	r = first_answer(
		result->address, atoi(arg[0]), arg[1], result->from_ns + LIMIT_NS, result, err);
	result->ns = now_ns() - result->from_ns;
	snprintf(result->id, sizeof(result->id), "%d", pid);
	kill(-pid,
		SIGKILL); /* with what it has made: one that lived on would answer the next time */
	waitpid(pid, NULL, 0);
	return r;
}

/* Splits at blanks; the last of max words keeps its blanks. */
static int split(char *line, char **word, int max)
{
	int n = 0;

	while (*line && n < max) {
		word[n++] = line;
		if (n == max)
			break;
		line += strcspn(line, " ");
		if (*line)
			*line++ = '\0';
	}
	word[n] = NULL;
	return n;
}

int main(void)
{
	char line[LINE_BYTES];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		struct result result = {.id = "-", .address = "-"};
		struct err err = {0};
		char *word[ARGS_MAX + 1];
		bool vm = strncmp(line, "vm ", 3) == 0;
		int n, r;

		line[strcspn(line, "\n")] = '\0';
		n = split(line, word, vm ? 5 : ARGS_MAX);
		r = vm ? time_vm(word + 1, n - 1, &result, &err)
		       : time_exec(word + 1, n - 1, &result, &err);
		if (r < 0)
			printf("error %s\n", err.msg);
		else
			printf("ok %lld %u %s %s %lld %lld %lld\n", (long long)result.ns,
				result.attempts, result.address, result.id,
				(long long)result.asked_ns, (long long)result.told_ns,
				(long long)result.connected_ns);
	}
	return 0;
}
