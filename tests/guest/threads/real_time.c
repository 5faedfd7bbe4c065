/* SPDX-License-Identifier: Apache-2.0 */
/* SCHED_FIFO and SCHED_RR: who may have them, what is read back, and in which order threads of one processor run. */
#include "tests/guest/guest.h"

#include <semaphore.h>
#include <sys/resource.h>

static sem_t sem;
/* Written at the end: Linux may let who writes to a file wait, and others run. */
static char said[2048];

static void note(const char *before, const char *what, const char *behind)
{
	strcat(said, before);
	strcat(said, what);
	strcat(said, behind);
}

static void *report(void *text)
{
	note("thread ", text, " runs\n");
	return NULL;
}

static void *report_after_post(void *text)
{
	sem_wait(&sem);
	return report(text);
}

static void start(pthread_t *t, void *(*fn)(void *), int policy, int priority, const char *text)
{
	struct sched_param p = {.sched_priority = priority};
	union {
		const char *text;
		void *arg;
	} arg = {text};
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, policy);
	pthread_attr_setschedparam(&attr, &p);
	/* All of it is there from the beginning: a thread must not wait for memory either. */
	NEED(pthread_attr_setstacksize(&attr, 65536) == 0);
	note("pthread_create(t, &attr, fn, arg.arg) = ",
		errname(pthread_create(t, &attr, fn, arg.arg)), "\n");
	pthread_attr_destroy(&attr);
}

static int inherited;

/* Said by the first thread, which may lose the processor to one of its own priority at any time. */
static void *inherits(void *arg)
{
	inherited = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
	return arg;
}

static void one_processor(void)
{
	cpu_set_t all, one;
	int cpu = 0;

	sched_getaffinity(0, sizeof(all), &all);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	SHOW(sched_setaffinity(0, sizeof(one), &one));
}

static void in_order(void)
{
	pthread_t t[4];

	NEED(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	start(&t[0], report, SCHED_FIFO, 10, "10");
	start(&t[1], report, SCHED_RR, 30, "30");
	start(&t[2], report, SCHED_FIFO, 20, "20");
	start(&t[3], report, SCHED_FIFO, 70, "70, above the first one's 50,");
	note("the first waits\n", "", "");
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);

	sem_init(&sem, 0, 0);
	start(&t[0], report_after_post, SCHED_FIFO, 60, "60");
	start(&t[1], report_after_post, SCHED_FIFO, 80, "80");
	start(&t[2], report_after_post, SCHED_FIFO, 70, "70");
	for (int i = 0; i < 3; i++)
		sem_post(&sem);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	say("%s", said);
	NEED(munlockall() == 0);
}

static void inheritance(void)
{
	struct sched_param p = {.sched_priority = 7};
	pthread_t t;

	SHOW(sched_setscheduler(0, SCHED_RR, &p));
	SHOW_ERR(pthread_create(&t, NULL, inherits, NULL));
	pthread_join(t, NULL);
	say("inherited %d\n", inherited);
	SHOW(sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p));
	ASK(sched_getscheduler(0) == (SCHED_RR | SCHED_RESET_ON_FORK));
	SHOW_ERR(pthread_create(&t, NULL, inherits, NULL));
	pthread_join(t, NULL);
	say("inherited %d\n", inherited);
}

static void unprivileged(void)
{
	struct sched_param p = {.sched_priority = 1};
	struct rlimit none = {0, 0};

	SHOW(setrlimit(RLIMIT_RTPRIO, &none));
	SHOW(setresuid(1000, 1000, 1000));
	RAW(sched_setscheduler, 0, SCHED_RR, &p); /* resets no more */
	SHOW(sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p));
	p.sched_priority = 2;
	SHOW(sched_setparam(0, &p));
	p.sched_priority = 0;
	SHOW(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p));
	p.sched_priority = 1;
	SHOW(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p));
}

int main(void)
{
	struct sched_param p = {0};
	struct timespec ts;

	one_processor();
	SHOW(sched_setscheduler(0, SCHED_FIFO, &p));
	p.sched_priority = 50;
	SHOW(sched_setscheduler(0, SCHED_FIFO, &p));
	SHOW(sched_getscheduler(0));
	p.sched_priority = 0;
	SHOW(sched_setparam(0, &p));
	SHOW(sched_getparam(0, &p));
	say("priority %d\n", p.sched_priority);
	SHOW(sched_rr_get_interval(0, &ts));
	say("slice of SCHED_FIFO %ld\n", ts.tv_nsec);
	in_order();
	inheritance();
	unprivileged();
	return 0;
}
