/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(PR_SET_NAME), /proc/self/task and comm of each thread. */
#include "tests/guest/threads.h"

#include <dirent.h>
#include <sys/prctl.h>

static pthread_barrier_t barrier;
static int tid;
static void *run(void *arg)
{
	tid = (int)syscall(SYS_gettid);
	NEED(prctl(PR_SET_NAME, "a-very-long-thread-name") == 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}
static void show(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	say("%zd %s", n, text);
	close(fd);
}
int main(void)
{
	char name[16], path[64];
	pthread_t t;
	int count = 0;
	DIR *d;

	NEED(pthread_barrier_init(&barrier, NULL, 2) == 0);
	SHOW(prctl(PR_SET_NAME, "first"));
	t = start_thread(run, NULL);
	pthread_barrier_wait(&barrier);
	SHOW(prctl(PR_GET_NAME, name));
	say("%s\n", name);
	show("/proc/self/comm");
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	show(path);
	d = opendir("/proc/self/task");
	NEED(d != NULL);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	say("%d threads\n", count);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	until_gone(tid);
	SHOW(access(path, F_OK));
	RAW(prctl, PR_SET_NAME, BAD_PTR);
	RAW(prctl, PR_GET_NAME, BAD_PTR);
	return 0;
}
