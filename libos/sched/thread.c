/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads and the scheduler: first in, first out, never preempted; a thread that made calls for longer than a slice lets others run
 * at its next return to the program, a loop of events after each of its rounds. Vector state and base registers stay in the processor until another thread needs them.
 */
#include "libos/arch/x86_64/cpu.h"
#include "libos/arch/x86_64/stack.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/clock.h"
#include "libos/sched/idle.h"
#include "libos/sched/thread_impl.h"
#include "libos/sched/upcall.h"

#define SLICE_NS    4000000u
#define THREADS_MAX 4096u

struct thread *current_thread;
struct process process;

static struct list run_queue = LIST_INIT(run_queue);
static struct thread *cpu_owner; /* whose vector state and bases the registers hold */
static struct thread *zombie;
static uint64_t slice_cycles;

void context_switch(uint64_t *park, uint64_t next);
extern const char thread_first_return[];

struct thread *thread_current(void)
{
	return current_thread;
}

int thread_tid(const struct thread *t)
{
	return t->tid;
}

/* ---- life */

static void thread_timeout(struct ktimer *timer)
{
	struct thread *t = container_of(timer, struct thread, timer);

	t->timed_out = true;
	thread_wake(t);
}

static size_t vector_alloc_bytes(void)
{
	size_t n = 512;

	while (n < cpu.vector_bytes)
		n *= 2;
	return n; /* a power of two: aligned to 64 */
}

static void thread_free(struct thread *t)
{
	if (t->kstack_top)
		stack_free(t->kstack_top);
	kfree(t->vector);
	kfree(t);
}

static struct thread *thread_alloc(void)
{
	static int next_tid = 1;
	struct thread *t;

	if (process.nthreads >= THREADS_MAX)
		return NULL;
	t = kzalloc(sizeof(*t));
	if (!t)
		return NULL;
	t->vector = kmalloc(vector_alloc_bytes());
	t->kstack_top = stack_alloc();
	if (!t->vector || !t->kstack_top) {
		thread_free(t);
		return NULL;
	}
	list_init(&t->run);
	list_init(&t->wait);
	ktimer_init(&t->timer, thread_timeout);
	t->state = THREAD_BLOCKED;
	t->tid = next_tid++;
	list_add_tail(&process.threads, &t->all);
	process.nthreads++;
	return t;
}

/* ksp such that context_switch() "returns" to fn with the stack as a call leaves it. */
static void set_start(struct thread *t, uint64_t sp, const void *fn)
{
	uint64_t *p = (uint64_t *)sp;

	*--p = (uint64_t)fn;
	for (int i = 0; i < 6; i++)
		*--p = 0;
	t->ksp = (uint64_t)p;
}

struct thread *thread_new(const struct regs *regs)
{
	struct thread *t = thread_alloc();

	if (!t)
		return NULL;
	*thread_regs(t) = *regs;
	if (!current_thread->class.reset)
		t->class = current_thread->class;
	set_start(t, (uint64_t)thread_regs(t), thread_first_return);
	return t;
}

void thread_free_unused(struct thread *t)
{
	list_del(&t->all);
	process.nthreads--;
	thread_free(t);
}

void thread_start_first(void (*fn)(void))
{
	struct thread *t;
	uint64_t parked;

	list_init(&process.threads);
	slice_cycles = clock_khz() * (SLICE_NS / 1000000);
	t = thread_alloc();
	if (!t)
		panic("no memory for the first thread");
	cpu_vector_init(t->vector);
	signal_thread_init(&t->sig, 0);
	set_start(t, (uint64_t)thread_regs(t) - 8, (const void *)fn);
	current_thread = t;
	t->state = THREAD_RUNNABLE;
	t->slice_start = rdtsc();
	process.start_ns = clock_mono_ns();
	cur_kstack_top = t->kstack_top;
	context_switch(&parked, t->ksp);
	__builtin_unreachable();
}

struct thread *thread_by_tid(int tid)
{
	list_for_each (t, &process.threads, struct thread, all) {
		if (t->tid == tid)
			return t;
	}
	return NULL;
}

bool thread_exists(int tid)
{
	return thread_by_tid(tid);
}

/* ---- running */

static void reap(void)
{
	if (!zombie)
		return;
	thread_free(zombie);
	zombie = NULL;
}

static void switch_to(struct thread *next)
{
	struct thread *prev = current_thread;

	current_thread = next;
	next->slice_start = rdtsc();
	if (next == prev)
		return;
	cur_kstack_top = next->kstack_top;
	context_switch(&prev->ksp, next->ksp);
	reap();
}

/* Runs the next runnable thread; the caller has put itself where it belongs. Returns when it is chosen again. */
static void schedule(void)
{
	struct list *link;

	current_thread->cpu_cycles += rdtsc() - current_thread->slice_start;
	while (!(link = list_pop(&run_queue)))
		idle();
	switch_to(container_of(link, struct thread, run));
}

static unsigned priority_of(struct list *link)
{
	return container_of(link, struct thread, run)->class.priority;
}

/* The queue is in the order of priorities; first: in front of its equals, as one that was interrupted is. */
static void run_add(struct thread *t, bool first)
{
	unsigned priority = t->class.priority;
	struct list *pos = &run_queue;

	if (priority || first) {
		for (pos = run_queue.next; pos != &run_queue; pos = pos->next) {
			if (priority_of(pos) < priority || (first && priority_of(pos) == priority))
				break;
		}
	}
	list_add_before(pos, &t->run);
}

void thread_set_class(struct thread *t, const struct sched_class *class)
{
	t->class = *class;
	if (t == current_thread || t->state != THREAD_RUNNABLE)
		return;
	list_del(&t->run);
	run_add(t, false);
}

bool sched_runnable(void)
{
	return !list_empty(&run_queue);
}

void thread_yield(void)
{
	if (list_empty(&run_queue) || priority_of(run_queue.next) < current_thread->class.priority)
		return;
	run_add(current_thread, false);
	schedule();
}

void thread_turn(void)
{
	const struct thread *next = container_of(run_queue.next, struct thread, run);

	if (!list_empty(&run_queue) && next->slices < COMPUTES_SLICES)
		thread_yield();
}

int thread_block(uint64_t deadline, bool interruptible)
{
	struct thread *t = current_thread;

	if (interruptible && signal_pending())
		return -EINTR;
	t->state = THREAD_BLOCKED;
	t->woken = t->timed_out = false;
	t->slices = 0;
	t->interruptible = interruptible;
	if (deadline != TIME_FOREVER)
		ktimer_set(&t->timer, deadline);
	schedule();
	ktimer_cancel(&t->timer);
	if (t->woken)
		return 0;
	return t->timed_out ? -ETIMEDOUT : -EINTR;
}

static void make_runnable(struct thread *t)
{
	t->state = THREAD_RUNNABLE;
	run_add(t, false);
}

void thread_wake(struct thread *t)
{
	if (t->state != THREAD_BLOCKED)
		return;
	t->woken = !t->timed_out;
	make_runnable(t);
}

void thread_interrupt(struct thread *t)
{
	if (t->state == THREAD_BLOCKED && t->interruptible)
		make_runnable(t);
}

void thread_exit(int status)
{
	struct thread *t = current_thread;

	if (process.nthreads == 1)
		process_exit(status);
	reap();
	signal_thread_exit(&t->sig);
	ktimer_cancel(&t->timer);
	list_del(&t->all);
	process.nthreads--;
	t->cpu_cycles += rdtsc() - t->slice_start;
	t->slice_start = rdtsc();
	process.dead_cycles += t->cpu_cycles;
	t->state = THREAD_DEAD;
	if (cpu_owner == t)
		cpu_owner = NULL;
	zombie = t;
	schedule();
	__builtin_unreachable();
}

/* Does anybody who waits have as much right to run? */
static bool takes_turns(void)
{
	return !list_empty(&run_queue) && current_thread->class.policy != SCHED_FIFO &&
		priority_of(run_queue.next) == current_thread->class.priority;
}

/* When the program has to be interrupted: for the first timer, and at the end of the slice if others wait. */
static uint64_t next_upcall(void)
{
	uint64_t used, end;

	if (!takes_turns())
		return ktimer_next;
	used = clock_cycles_ns(rdtsc() - current_thread->slice_start);
	end = clock_mono_ns() + (used < SLICE_NS ? SLICE_NS - used : 0);
	return end < ktimer_next ? end : ktimer_next;
}

static void give_way(void)
{
	run_add(current_thread, true);
	schedule();
}

void sched_return_to_user(void)
{
	struct thread *t = current_thread;

	reap();
	if (!list_empty(&run_queue)) {
		if (priority_of(run_queue.next) > t->class.priority) {
			give_way();
		} else if (takes_turns() && rdtsc() - t->slice_start > slice_cycles) {
			if (t->slices < COMPUTES_SLICES)
				t->slices++;
			thread_yield();
		}
	}
	upcall_set(next_upcall());
	if (cpu_owner == t)
		return;
	if (cpu_owner) {
		cpu_vector_save(cpu_owner->vector);
		cpu_owner->fs_base = cpu_fs_base();
		cpu_owner->gs_base = cpu_gs_base();
	}
	cpu_vector_restore(t->vector);
	cpu_set_fs_base(t->fs_base);
	cpu_set_gs_base(t->gs_base);
	cpu_owner = t;
}

/* ---- time used */

uint64_t thread_cpu_ns(const struct thread *t)
{
	uint64_t cycles = t->cpu_cycles;

	if (t == current_thread)
		cycles += rdtsc() - t->slice_start;
	return clock_cycles_ns(cycles);
}

uint64_t process_cpu_ns(void)
{
	uint64_t ns = clock_cycles_ns(process.dead_cycles);

	list_for_each (t, &process.threads, struct thread, all)
		ns += thread_cpu_ns(t);
	return ns;
}

void thread_thaw(void)
{
	if (current_thread)
		current_thread->slice_start = rdtsc();
}

/* ---- wait queues */

static int queue_wait(struct waitq *q, uint64_t deadline, bool interruptible)
{
	struct thread *t = current_thread;
	int r;

	list_add_tail(&q->waiters, &t->wait);
	r = thread_block(deadline, interruptible);
	list_del(&t->wait);
	return r;
}

int waitq_wait(struct waitq *q, uint64_t deadline)
{
	return queue_wait(q, deadline, true);
}

int waitq_wait_uninterruptible(struct waitq *q, uint64_t deadline)
{
	return queue_wait(q, deadline, false);
}

unsigned waitq_wake(struct waitq *q, unsigned n)
{
	struct list *link;
	unsigned woken = 0;

	while (woken < n && (link = list_pop(&q->waiters))) {
		thread_wake(container_of(link, struct thread, wait));
		woken++;
	}
	return woken;
}
