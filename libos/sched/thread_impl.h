/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread and the process, for sched/, arch/, exec/ and sys/. There is one process.
 *
 *   thread_new() -> RUNNABLE -> schedule() -> running -> thread_block() -> BLOCKED -> thread_wake() -> RUNNABLE
 *                                                |
 *                                           thread_exit() -> DEAD -> freed by the next thread that runs
 */
#ifndef LIBOS_SCHED_THREAD_IMPL_H
#define LIBOS_SCHED_THREAD_IMPL_H

#include "libos/arch/x86_64/regs.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"

/* A thread that uses up so many slices computes. One or two may be those of a host that did not run us. */
#define COMPUTES_SLICES 4u

enum thread_state { THREAD_RUNNABLE, THREAD_BLOCKED, THREAD_DEAD };

/* sched(7). Who has a higher priority runs first, and goes on until it waits; only equals take turns. */
enum {
	SCHED_OTHER = 0,
	SCHED_FIFO = 1,
	SCHED_RR = 2,
	SCHED_BATCH = 3,
	SCHED_IDLE = 5,
	SCHED_DEADLINE = 6
};
#define PRIORITY_DEADLINE 100
struct sched_class {
	uint8_t policy;
	uint8_t priority; /* 1-99 for SCHED_FIFO and SCHED_RR, 100 for SCHED_DEADLINE, else 0 */
	bool reset;       /* a thread that it makes is an ordinary one */
	uint64_t runtime, deadline, period; /* ns, of SCHED_DEADLINE: kept and answered */
};

struct thread {
	struct list run;  /* run queue, while runnable and not running */
	struct list wait; /* one wait queue, while blocked on one */
	struct list all;  /* process.threads */
	enum thread_state state;
	bool woken, timed_out, interruptible;
	uint8_t slices; /* used up one after the other, without a sleep between them; at most COMPUTES_SLICES */
	uint8_t computes; /* above 0: it went on for long without a call, some calls ago */
	struct sched_class class;
	int tid;
	uint64_t ksp;        /* parked stack pointer of the libOS */
	uint64_t kstack_top; /* its struct regs is right below */
	uint64_t fs_base, gs_base;
	void *vector; /* vector state while not in the registers */
	struct ktimer timer;
	uint64_t cpu_cycles, slice_start; /* TSC */
	uptr_t clear_child_tid, robust_list;
	struct sigstate sig;
	char comm[16];
	uint64_t ncalls;
};

struct process {
	struct list threads;
	unsigned nthreads;
	int exit_status;      /* of the last thread, or of exit_group */
	uint64_t start_ns;    /* CLOCK_MONOTONIC */
	uint64_t dead_cycles; /* of threads that are gone */
	uint64_t minor_faults;
	int no_new_privs; /* prctl(2): kept */
	char exe[256];
};

extern struct thread *current_thread;
extern struct process process;

static inline struct regs *thread_regs(const struct thread *t)
{
	return (struct regs *)(t->kstack_top - sizeof(struct regs));
}

/* The first thread, on a stack of its own, which runs fn and never returns from it. */
_Noreturn void thread_start_first(void (*fn)(void));
/* A thread that leaves to the program with regs; not yet runnable. NULL: out of memory. */
struct thread *thread_new(const struct regs *regs);
void thread_free_unused(struct thread *t);
/* Ends the calling thread; the last one ends the process. */
_Noreturn void thread_exit(int status);
#define FIRST_TID 1 /* of the first thread, which has the number of the process */
struct thread *thread_by_tid(int tid);
/* The last part of path becomes its name (15 bytes). */
void thread_set_name(struct thread *t, const char *path);

void thread_set_class(struct thread *t, const struct sched_class *class);

/* Sleeps until thread_wake (0), the deadline (-ETIMEDOUT) or, when interruptible, a signal (-EINTR). */
int thread_block(uint64_t deadline, bool interruptible);
void thread_wake(struct thread *t);
/* A signal for t: ends its sleep if signals may. */
void thread_interrupt(struct thread *t);

/* Looks at devices, timers and events; cheap when there is nothing. */
void sched_poll(void);
/* To be called before the program goes on: its registers that are not in struct regs, devices that have to be told, fairness. */
void sched_return_to_user(void);
/* Runs due timers; the next deadline or TIME_FOREVER. */
uint64_t ktimer_run(void);
extern uint64_t ktimer_next; /* deadline of the first timer */

uint64_t thread_cpu_ns(const struct thread *t);
/* The TSC has jumped: the current thread has not used that time. */
void thread_thaw(void);
uint64_t process_cpu_ns(void);

/* Ends the VM: exit code, or the signal that killed the program. */
_Noreturn void process_killed(int signo);

#endif
