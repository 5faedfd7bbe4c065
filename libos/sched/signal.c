/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending, queueing and delivering. Standard signals queue once, real-time ones up to a limit. There is no terminal and no parent:
 * the stop signals do nothing, SIGCONT neither.
 */
#include "libos/arch/x86_64/regs.h"
#include "libos/drv/console.h"
#include "libos/drv/platform.h"
#include "libos/fs/file.h"
#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/sched/posix_timer.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/limits.h"

#define QUEUE_MAX 65536u /* whatever RLIMIT_SIGPENDING says */
#define SYNC_SET                                                                                   \
	(sigbit(SIGSEGV) | sigbit(SIGBUS) | sigbit(SIGILL) | sigbit(SIGTRAP) | sigbit(SIGFPE))
#define IGNORE_SET                                                                                 \
	(sigbit(SIGCHLD) | sigbit(SIGCONT) | sigbit(SIGURG) | sigbit(SIGWINCH) | sigbit(SIGSTOP) | \
		sigbit(SIGTSTP) | sigbit(SIGTTIN) | sigbit(SIGTTOU))
#define UNBLOCKABLE (sigbit(SIGKILL) | sigbit(SIGSTOP))

struct queued {
	struct list link;
	struct siginfo info;
};

static struct sigaction actions[SIGNALS + 1];
static struct sigpending shared; /* of the process */
static struct pollable readable;
static unsigned queued_count;

static void pending_init(struct sigpending *p)
{
	p->set = 0;
	list_init(&p->queue);
}

void signal_init(void)
{
	pending_init(&shared);
	pollable_init(&readable);
}

void signal_thread_init(struct sigstate *s, uint64_t mask)
{
	memset(s, 0, sizeof(*s));
	pending_init(&s->pending);
	s->mask = mask;
	s->alt.flags = SS_DISABLE;
}

void signal_thread_exit(struct sigstate *s)
{
	struct list *link;

	while ((link = list_pop(&s->pending.queue))) {
		kfree(container_of(link, struct queued, link));
		queued_count--;
	}
}

const struct sigaction *signal_action(int signo)
{
	return &actions[signo];
}

static bool ignored(int signo)
{
	uint64_t handler = actions[signo].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && sigbit(signo) & IGNORE_SET);
}

/* ---- queues */

static uint64_t queue_limit(void)
{
	uint64_t limit = rlimit_soft(RLIMIT_SIGPENDING);

	return limit < QUEUE_MAX ? limit : QUEUE_MAX;
}

bool signal_queue_full(const struct siginfo *info)
{
	return info->signo >= SIGRTMIN && info->code != SI_USER && queued_count >= queue_limit();
}

static void pending_add(struct sigpending *p, const struct siginfo *info)
{
	struct queued *q;

	if (p->set & sigbit(info->signo) && info->signo < 32)
		return;
	p->set |= sigbit(info->signo);
	if (queued_count >= queue_limit())
		return;
	q = kmalloc(sizeof(*q));
	if (!q)
		return; /* the signal comes without its information */
	q->info = *info;
	list_add_tail(&p->queue, &q->link);
	queued_count++;
}

static void pending_take(struct sigpending *p, int signo, struct siginfo *info)
{
	bool found = false, more = false;

	memset(info, 0, sizeof(*info));
	info->signo = signo;
	list_for_each_safe (q, &p->queue, struct queued, link) {
		if (q->info.signo != signo)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = true;
		*info = q->info;
		list_del(&q->link);
		kfree(q);
		queued_count--;
	}
	if (!more)
		p->set &= ~sigbit(signo);
	if (info->code == SI_TIMER)
		posix_timer_taken(info);
}

static void pending_drop(struct sigpending *p, int signo)
{
	struct siginfo info;

	while (p->set & sigbit(signo))
		pending_take(p, signo, &info);
}

static int lowest(uint64_t set)
{
	return __builtin_ctzll(set) + 1;
}

int signal_dequeue(uint64_t set, struct siginfo *info)
{
	struct sigpending *own = &current_thread->sig.pending;
	uint64_t mine = own->set & set, all = shared.set & set;
	int signo;

	if (!(mine | all))
		return 0;
	if (mine & SYNC_SET)
		signo = lowest(mine & SYNC_SET);
	else
		signo = lowest(mine | all);
	pending_take(mine & sigbit(signo) ? own : &shared, signo, info);
	return signo;
}

uint64_t signal_pending_set(void)
{
	return current_thread->sig.pending.set | shared.set;
}

bool signal_pending(void)
{
	return current_thread && signal_pending_set() & ~current_thread->sig.mask;
}

struct pollable *signal_pollable(void)
{
	return &readable;
}

/* ---- sending */

static bool wants(const struct thread *t, int signo)
{
	return t->state != THREAD_DEAD && !(t->sig.mask & sigbit(signo));
}

void signal_send_thread(struct thread *t, const struct siginfo *info)
{
	if (ignored(info->signo) && wants(t, info->signo))
		return;
	pending_add(&t->sig.pending, info);
	if (wants(t, info->signo))
		thread_interrupt(t);
	poll_notify(&readable, POLLIN);
}

/* A signal to the process goes to its first thread if that one takes it: programs rely on it, although POSIX does not say so. */
static struct thread *leader_for(int signo)
{
	struct thread *t = thread_by_tid(FIRST_TID);

	if (!t || !wants(t, signo))
		return NULL;
	if (t->class.priority < current_thread->class.priority && wants(current_thread, signo))
		return NULL; /* it may not run for long */
	return t == current_thread || !(t->sig.pending.set & ~t->sig.mask) ? t : NULL;
}

void signal_send_process(const struct siginfo *info)
{
	struct thread *first = leader_for(info->signo);

	if (first) {
		signal_send_thread(first, info);
		return;
	}
	list_for_each (t, &process.threads, struct thread, all) {
		if (wants(t, info->signo) && (!first || t == current_thread))
			first = t;
	}
	if (ignored(info->signo) && first)
		return;
	pending_add(&shared, info);
	if (first)
		thread_interrupt(first);
	poll_notify(&readable, POLLIN);
}

void signal_process(int signo)
{
	signal_send_process(&(struct siginfo){.signo = signo, .code = SI_KERNEL});
}

void signal_thread_sync(int signo)
{
	signal_send_thread(current_thread, &(struct siginfo){.signo = signo, .code = SI_KERNEL});
}

void signal_force(const struct siginfo *info)
{
	struct sigaction *act = &actions[info->signo];
	uint64_t *mask = &current_thread->sig.mask;

	if (act->handler == SIG_IGN || *mask & sigbit(info->signo)) {
		act->handler = SIG_DFL;
		*mask &= ~sigbit(info->signo);
	}
	pending_add(&current_thread->sig.pending, info);
}

/* ---- masks and dispositions */

void signal_set_mask(uint64_t mask)
{
	struct sigstate *s = &current_thread->sig;

	s->mask = mask & ~UNBLOCKABLE;
	if (!(shared.set & s->mask))
		return;
	/* what this thread blocks now may be for another */
	list_for_each (t, &process.threads, struct thread, all) {
		if (t != current_thread && shared.set & s->mask & ~t->sig.mask)
			thread_interrupt(t);
	}
}

int signal_temp_mask(uptr_t uset, uint64_t size)
{
	struct sigstate *s = &current_thread->sig;
	uint64_t mask;

	if (!uset)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (get_user(&mask, uset))
		return -EFAULT;
	s->saved_mask = s->mask;
	s->restore = true;
	signal_set_mask(mask);
	return 0;
}

void signal_set_action(int signo, const struct sigaction *act)
{
	actions[signo] = *act;
	actions[signo].mask &= ~UNBLOCKABLE;
	if (!ignored(signo))
		return;
	pending_drop(&shared, signo);
	list_for_each (t, &process.threads, struct thread, all)
		pending_drop(&t->sig.pending, signo);
}

/* ---- delivery */

void process_killed(int signo)
{
	vfs_sync_all(true);
	console_flush();
	platform_exit(UIG_EXIT_SIGNAL, (unsigned)signo);
}

static void die(const struct regs *regs, const struct siginfo *info)
{
	if (sigbit(info->signo) & SYNC_SET)
		kprintf("killed by signal %d at 0x%lx, address 0x%lx", info->signo, regs->rip,
			info->addr);
	process_killed(info->signo);
}

bool signal_restarts(const struct regs *regs)
{
	return (regs->rax == (uint64_t)-ERESTARTSYS || regs->rax == (uint64_t)-ERESTARTNOINTR) &&
		regs->orig_rax != (uint64_t)-1;
}

/* A call that a signal ended and that may start again does so when the handler says so. */
static void restart_call(struct regs *regs, bool restart)
{
	if (!signal_restarts(regs))
		return;
	if (restart || regs->rax == (uint64_t)-ERESTARTNOINTR) {
		regs->rax = regs->orig_rax;
		regs->rip -= 2;
	} else {
		regs->rax = (uint64_t)-EINTR;
	}
	regs->orig_rax = (uint64_t)-1;
}

/* The frame does not fit: SIGSEGV comes in its place, whose handler may have another stack. */
static void no_room_for(const struct regs *regs, int signo)
{
	if (signo == SIGSEGV) {
		kprintf("no stack for the handler of signal %d at 0x%lx", signo, regs->rsp);
		process_killed(SIGSEGV);
	}
	signal_force(&(struct siginfo){.signo = SIGSEGV, .code = SI_KERNEL});
}

static void run_handler(struct regs *regs, const struct siginfo *info)
{
	struct sigstate *s = &current_thread->sig;
	struct sigaction act = actions[info->signo];
	uint64_t old = s->restore ? s->saved_mask : s->mask;

	restart_call(regs, act.flags & SA_RESTART);
	if (act.flags & SA_RESETHAND)
		actions[info->signo].handler = SIG_DFL;
	if (sigframe_push(regs, &act, info, old)) {
		no_room_for(regs, info->signo);
		return;
	}
	s->restore = false;
	signal_set_mask(s->mask | act.mask | (act.flags & SA_NODEFER ? 0 : sigbit(info->signo)));
}

bool signal_deliver(struct regs *regs)
{
	struct sigstate *s = &current_thread->sig;
	struct siginfo info;
	bool changed = false;

	while (signal_dequeue(~s->mask, &info)) {
		const struct sigaction *act = &actions[info.signo];

		if (ignored(info.signo))
			continue;
		if (act->handler == SIG_DFL)
			die(regs, &info);
		run_handler(regs, &info);
		changed = true;
	}
	if (!changed)
		restart_call(regs, true);
	if (s->restore) {
		s->restore = false;
		signal_set_mask(s->saved_mask);
	}
	return true;
}
