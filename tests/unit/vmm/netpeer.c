/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netpeer ANSWERS COUNT UVMM ARG...: runs the monitor and is the other end of its tap uigtest0. Sends COUNT frames of all
 * sizes in bursts, checks that each comes back whole and in order, says "quit", and gives back the monitor's exit status.
 * The file ANSWERS then holds how many frames the guest sent: the frames come in order, so that its answer to "quit" is
 * the last, and nobody else sends (tell the namespace to leave IPv6 alone), so that it was given as many.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAP         "uigtest0"
#define ETH_LOCAL   0x88b5 /* IEEE 802: local experimental */
#define FRAME_MIN   60u
#define FRAME_MAX   1514u
#define BURST_MAX   16u
#define PATIENCE_MS 60000

static unsigned answers; /* frames that the guest sent */
static const unsigned char guest_mac[6] = {2, 0, 0, 0, 0, 7}, our_mac[6] = {2, 0, 0, 0, 0, 1};

static void die(const char *what)
{
	fprintf(stderr, "netpeer: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The monitor makes the tap: it is there soon, and then it is set up. */
static int open_link(pid_t monitor)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_LOCAL)};
	int s = socket(AF_PACKET, SOCK_RAW, htons(ETH_LOCAL));
	struct ifreq ifr = {.ifr_name = TAP};

	if (s < 0)
		die("socket");
	while (ioctl(s, SIOCGIFINDEX, &ifr) < 0) {
		if (errno != ENODEV || waitpid(monitor, NULL, WNOHANG) != 0)
			die("tap");
		poll(NULL, 0, 1);
	}
	at.sll_ifindex = ifr.ifr_ifindex;
	if (ioctl(s, SIOCGIFFLAGS, &ifr) < 0)
		die("flags");
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("link up");
	return s;
}

static size_t make(unsigned char *frame, unsigned i)
{
	size_t n = FRAME_MIN + i * 37 % (FRAME_MAX - FRAME_MIN + 1);

	memcpy(frame, guest_mac, 6);
	memcpy(frame + 6, our_mac, 6);
	frame[12] = ETH_LOCAL >> 8;
	frame[13] = ETH_LOCAL & 0xff;
	frame[14] = 'd';
	for (size_t k = 15; k < n; k++)
		frame[k] = (unsigned char)(i + k);
	return n;
}

/* The next frame from the guest (ours, that the tap shows too, are passed over), or 0 when none comes in time. */
static size_t next_within(int s, unsigned char *frame, int patience_ms)
{
	struct pollfd p = {.fd = s, .events = POLLIN};

	while (poll(&p, 1, patience_ms) == 1) {
		ssize_t n = recv(s, frame, FRAME_MAX + 100, 0);

		if (n < 0)
			die("recv");
		if (memcmp(frame + 6, guest_mac, 6) != 0)
			continue;
		answers++;
		return (size_t)n;
	}
	return 0;
}

static size_t next(int s, unsigned char *frame)
{
	size_t n = next_within(s, frame, PATIENCE_MS);

	if (n == 0)
		die("no frame came back");
	return n;
}

static bool is_answer(const unsigned char *got, size_t len, unsigned i)
{
	unsigned char sent[FRAME_MAX];
	size_t n = make(sent, i);

	return len == n && memcmp(got, our_mac, 6) == 0 && memcmp(got + 12, sent + 12, n - 12) == 0;
}

/* The answer to frame i comes next, but for late ones to the first frame, which is sent until it is answered. */
static void expect(int s, unsigned i)
{
	unsigned char got[FRAME_MAX + 100];
	size_t n;

	do
		n = next(s, got);
	while (is_answer(got, n, 0));
	if (!is_answer(got, n, i)) {
		fprintf(stderr, "netpeer: frame %u came back changed\n", i);
		exit(1);
	}
}

/* While the guest is not up yet frames are lost: the first one is sent until it is answered. */
static void first(int s)
{
	unsigned char frame[FRAME_MAX], got[FRAME_MAX + 100];
	size_t n = make(frame, 0);

	for (int tries = 0; tries < 10000; tries++) {
		if (send(s, frame, n, 0) < 0 && errno != ENETDOWN && errno != ENOBUFS)
			die("send");
		if (next_within(s, got, 10) > 0)
			return;
	}
	die("the guest does not answer");
}

/* The guest's last word: the "quit" frame itself. */
static void expect_quit(int s)
{
	unsigned char got[FRAME_MAX + 100];

	while (next(s, got) < 15 || got[14] != 'q')
		;
}

static void write_answers(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%u\n", answers) < 0 || fclose(f) != 0)
		die(path);
}

int main(int argc, char **argv)
{
	unsigned char frame[FRAME_MAX];
	unsigned count, i = 1;
	int s, status;
	pid_t monitor;

	if (argc < 4)
		return 1;
	count = (unsigned)strtoul(argv[2], NULL, 10);
	monitor = fork();
	if (monitor == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a peer that gives up leaves nobody behind */
		execv(argv[3], argv + 3);
		_exit(127);
	}
	s = open_link(monitor);
	first(s);
	while (i < count) {
		unsigned burst = 1 + i % BURST_MAX, from = i;

		for (; i < from + burst && i < count; i++) {
			if (send(s, frame, make(frame, i), 0) < 0)
				die("send");
		}
		for (; from < i; from++)
			expect(s, from);
	}
	make(frame, 0);
	frame[14] = 'q';
	if (send(s, frame, FRAME_MIN, 0) < 0)
		die("send");
	expect_quit(s);
	write_answers(argv[1]);
	if (waitpid(monitor, &status, 0) < 0)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
