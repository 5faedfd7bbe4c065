/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for locks: who waits gets it when it is free, in the end; a signal ends the wait, or begins it anew. */
#include "tests/guest/guest.h"

#include <sys/file.h>

#ifndef F_OFD_SETLKW
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif

static int a, b;
static volatile bool released, over;
static volatile int handled;

static void handler(int signo, siginfo_t *info, void *context)
{
	handled++;
}

static int lock(int fd, int cmd, int type, long start, long len)
{
	struct flock l = {
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, &l);
}

static int wait_ofd(void)
{
	return lock(b, F_OFD_SETLKW, F_WRLCK, 5, 10);
}

static int wait_process(void)
{
	return lock(b, F_SETLKW, F_WRLCK, 5, 10);
}

static int wait_flock(void)
{
	return flock(b, LOCK_EX);
}

struct waiting {
	int (*take)(void);
	int rc, error;
	bool early;
};

static void *waiter(void *arg)
{
	struct waiting *w = arg;

	w->rc = w->take();
	w->error = errno;
	w->early = !w->rc && !released;
	over = true;
	return NULL;
}

static void begin(struct waiting *w, pthread_t *thread, int (*take)(void))
{
	*w = (struct waiting){.take = take};
	released = over = false;
	handled = 0;
	*thread = start_thread(waiter, w);
}

static void end(const char *name, struct waiting *w, pthread_t thread)
{
	NEED(pthread_join(thread, NULL) == 0);
	say("%s: %s%s\n", name, errname(w->rc < 0 ? w->error : 0), w->early ? ", too early" : "");
}

static int drop(int (*take)(void))
{
	return take == wait_flock ? flock(a, LOCK_UN) : lock(a, F_OFD_SETLK, F_UNLCK, 5, 0);
}

static void run(const char *name, int (*take)(void))
{
	struct waiting w;
	pthread_t thread;

	/* a signal without SA_RESTART: as often as it takes to meet the wait */
	on_signal(SIGUSR1, handler, 0);
	begin(&w, &thread, take);
	while (!over) {
		pthread_kill(thread, SIGUSR1);
		sleep_ms(1);
	}
	end(name, &w, thread);
	/* with it */
	on_signal(SIGUSR1, handler, SA_RESTART);
	begin(&w, &thread, take);
	for (int i = 0; i < 10 || !handled; i++) {
		pthread_kill(thread, SIGUSR1);
		sleep_ms(1);
	}
	released = true;
	NEED(drop(take) == 0);
	end(name, &w, thread);
}

int main(void)
{
	NEED((a = open("file", O_RDWR | O_CREAT, 0600)) >= 0 && (b = open("file", O_RDWR)) >= 0);
	SHOW(lock(a, F_OFD_SETLK, F_RDLCK, 0, 0));
	run("description", wait_ofd);
	SHOW(lock(a, F_OFD_SETLK, F_WRLCK, 0, 8));
	SHOW(lock(b, F_OFD_SETLK, F_UNLCK, 0, 0));
	SHOW(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0));
	run("process", wait_process);
	SHOW(lock(b, F_SETLK, F_UNLCK, 0, 0));
	SHOW(flock(a, LOCK_EX));
	run("flock", wait_flock);
	SHOW(flock(a, LOCK_SH | LOCK_NB));
	SHOW(flock(b, LOCK_SH));
	SHOW(flock(a, LOCK_SH | LOCK_NB));
	return 0;
}
