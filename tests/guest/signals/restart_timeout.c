/* SPDX-License-Identifier: Apache-2.0 */
/* A socket with a time limit is never restarted; a sleep tells what was left. */
#include "tests/guest/guest.h"

#include <sys/socket.h>
#include <sys/time.h>

static void handler(int signo) {}
int main(void)
{
	struct timeval limit = {100, 0};
	/* Again and again, so that one of them finds the call waiting. */
	struct itimerval it = {.it_value = {0, 30000}, .it_interval = {0, 30000}};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct timespec far = {100, 0}, rest = {0, 0}, abs;
	char b;
	int s[2];

	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && sigaction(SIGALRM, &sa, NULL) == 0);
	NEED(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
	setitimer(ITIMER_REAL, &it, NULL);
	SHOW(recv(s[0], &b, 1, 0));
	setitimer(ITIMER_REAL, &it, NULL);
	SHOW(nanosleep(&far, &rest));
	ASK(rest.tv_sec >= 50 && rest.tv_sec < 100);
	setitimer(ITIMER_REAL, &it, NULL);
	say("%s\n", errname(clock_nanosleep(CLOCK_MONOTONIC, 0, &far, &rest)));
	ASK(rest.tv_sec >= 50 && rest.tv_sec < 100);
	clock_gettime(CLOCK_MONOTONIC, &abs);
	abs.tv_sec += 100;
	rest.tv_sec = 77;
	setitimer(ITIMER_REAL, &it, NULL);
	say("%s\n", errname(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &abs, &rest)));
	ASK(rest.tv_sec == 77);
	return 0;
}
