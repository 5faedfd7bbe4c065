/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about the machine as a whole, as far as they are refused: reboot, unshare, setns; priorities of I/O; ambient capabilities. */
#include "tests/guest/guest.h"

#include <linux/securebits.h>
#include <sys/prctl.h>

#define MAGIC1 0xfee1dead
#define MAGIC2 672274793

static void refused(void)
{
	RAW(unshare, 0);
	RAW(unshare, 0x80000000);
	RAW(unshare, CLONE_FS);
	RAW(unshare, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
	RAW(setns, 99, 0);
	RAW(setns, open("/dev/null", O_RDONLY), CLONE_NEWNET);
	RAW(reboot, 1, MAGIC2, 0, NULL);
	RAW(reboot, MAGIC1, 1, 0, NULL);
	RAW(reboot, MAGIC1, MAGIC2, 12345, NULL);
}

static void *waits(void *lock)
{
	pthread_mutex_lock(lock);
	return NULL;
}

static void threaded(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	NEED(pthread_mutex_lock(&lock) == 0);
	thread = start_thread(waits, &lock);
	RAW(unshare, CLONE_VM);
	RAW(unshare, CLONE_SIGHAND);
	RAW(unshare, CLONE_THREAD);
	NEED(pthread_mutex_unlock(&lock) == 0 && pthread_join(thread, NULL) == 0);
}

static void io_priority(void)
{
	RAW(ioprio_set, 1, 0, 2 << 13 | 7);
	RAW(ioprio_set, 1, 0, 2 << 13 | 8);
	RAW(ioprio_get, 1, 0);
	RAW(ioprio_set, 1, 0, 1 << 13 | 8);
	RAW(ioprio_set, 1, 0, 4);
}

static void ambient(void)
{
	SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE));
	SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 13, 0, 0));
	SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 13, 0, 0));
	SHOW(prctl(PR_SET_SECUREBITS, 0));
}

int main(void)
{
	refused();
	threaded();
	io_priority();
	ambient();
	say("-- another user\n");
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	refused();
	return 0;
}
