/* SPDX-License-Identifier: Apache-2.0 */
/* The signal calls. There is one process: an id that is none of its threads' names nothing. */
#include "libos/klib/errno.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define SIG_BLOCK    0
#define SIG_UNBLOCK  1
#define SIG_SETMASK  2
#define SIGSET_BYTES 8u
#define MINSIGSTKSZ  2048u

long sys_rt_sigaction(const uint64_t a[6])
{
	int signo = (int)a[0];
	struct sigaction act, old;

	if (a[3] != SIGSET_BYTES || signo < 1 || signo > SIGNALS ||
		(a[1] && (signo == SIGKILL || signo == SIGSTOP)))
		return -EINVAL;
	if (a[1] && get_user(&act, a[1]))
		return -EFAULT;
	old = *signal_action(signo);
	if (a[1])
		signal_set_action(signo, &act);
	return a[2] ? put_user(a[2], &old) : 0;
}

long sys_rt_sigprocmask(const uint64_t a[6])
{
	uint64_t old = current_thread->sig.mask, set;

	if (a[3] != SIGSET_BYTES)
		return -EINVAL;
	if (a[1]) {
		if (get_user(&set, a[1]))
			return -EFAULT;
		switch ((int)a[0]) {
		case SIG_BLOCK:
			signal_set_mask(old | set);
			break;
		case SIG_UNBLOCK:
			signal_set_mask(old & ~set);
			break;
		case SIG_SETMASK:
			signal_set_mask(set);
			break;
		default:
			return -EINVAL;
		}
	}
	return a[2] ? put_user(a[2], &old) : 0;
}

long sys_rt_sigpending(const uint64_t a[6])
{
	uint64_t set = signal_pending_set() & current_thread->sig.mask;

	if (a[1] > SIGSET_BYTES)
		return -EINVAL;
	return copy_to_user(a[0], &set, a[1]);
}

long sys_rt_sigreturn(const uint64_t a[6])
{
	struct regs *regs = thread_regs(current_thread);

	if (sigframe_pop(regs))
		signal_force(&(struct siginfo){.signo = SIGSEGV, .code = SI_KERNEL});
	return (long)regs->rax;
}

long sys_sigaltstack(const uint64_t a[6])
{
	static const uint32_t both = SS_DISABLE | SS_ONSTACK;
	struct sigstate *s = &current_thread->sig;
	uint64_t sp = thread_regs(current_thread)->rsp;
	struct sigstack old = s->alt, new;
	bool on = !(old.flags & SS_DISABLE) && sp > old.sp && sp - old.sp <= old.size;

	if (a[0]) {
		if (get_user(&new, a[0]))
			return -EFAULT;
		if (on)
			return -EPERM;
		if (new.flags & ~(both | SS_AUTODISARM) || (new.flags &both) == both)
			return -EINVAL;
		new.flags &= ~(uint32_t)SS_ONSTACK;
		new.pad = 0;
		if (new.flags & SS_DISABLE)
			new = (struct sigstack){.flags = SS_DISABLE};
		else if (new.size < MINSIGSTKSZ)
			return -ENOMEM;
		s->alt = new;
	}
	if (on)
		old.flags |= SS_ONSTACK;
	return a[1] ? put_user(a[1], &old) : 0;
}

/* ---- sending */

static struct siginfo from_user(int signo, int code)
{
	return (struct siginfo){
		.signo = signo, .code = code, .sender = {.pid = FIRST_TID, .uid = cred.uid.real}};
}

/* A thread's id names its process too, 0 the caller's group. -1 would be all other processes, and there are none: but it is also what killpg(3)
 * makes of the number of the one group. */
static bool names_process(int pid)
{
	return pid == 0 || pid == -FIRST_TID || (pid > 0 && thread_exists(pid));
}

static bool good(int signo)
{
	return signo >= 0 && signo <= SIGNALS;
}

long sys_kill(const uint64_t a[6])
{
	int pid = (int)a[0], signo = (int)a[1];
	struct siginfo info = from_user(signo, SI_USER);

	if (!good(signo))
		return -EINVAL;
	if (!names_process(pid))
		return -ESRCH;
	if (signo)
		signal_send_process(&info);
	return 0;
}

static long send_thread(int tid, int signo, const struct siginfo *info)
{
	struct thread *t;

	if (!good(signo) || tid <= 0)
		return -EINVAL;
	t = thread_by_tid(tid);
	if (!t)
		return -ESRCH;
	if (signo && signal_queue_full(info))
		return -EAGAIN;
	if (signo)
		signal_send_thread(t, info);
	return 0;
}

long sys_tkill(const uint64_t a[6])
{
	struct siginfo info = from_user((int)a[1], SI_TKILL);

	return send_thread((int)a[0], (int)a[1], &info);
}

long sys_tgkill(const uint64_t a[6])
{
	struct siginfo info = from_user((int)a[2], SI_TKILL);

	if ((int)a[0] <= 0)
		return -EINVAL;
	if ((int)a[0] != 1)
		return -ESRCH;
	return send_thread((int)a[1], (int)a[2], &info);
}

static int queue_info(uptr_t from, int signo, struct siginfo *info)
{
	if (get_user(info, from))
		return -EFAULT;
	info->signo = signo;
	return 0;
}

long sys_rt_sigqueueinfo(const uint64_t a[6])
{
	struct siginfo info;

	if (!good((int)a[1]))
		return -EINVAL;
	if (queue_info(a[2], (int)a[1], &info))
		return -EFAULT;
	if ((int)a[0] <= 0 || !thread_exists((int)a[0]))
		return -ESRCH;
	if (!info.signo)
		return 0;
	if (signal_queue_full(&info))
		return -EAGAIN;
	signal_send_process(&info);
	return 0;
}

long sys_rt_tgsigqueueinfo(const uint64_t a[6])
{
	struct siginfo info;

	if (queue_info(a[3], (int)a[2], &info))
		return -EFAULT;
	if ((int)a[0] <= 0)
		return -EINVAL;
	if ((int)a[0] != 1)
		return -ESRCH;
	return send_thread((int)a[1], (int)a[2], &info);
}

/* ---- waiting */

static int read_timeout(uptr_t at, uint64_t *deadline)
{
	struct timespec ts;

	if (get_user(&ts, at))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	if ((uint64_t)ts.tv_sec < TIME_FOREVER / NS_PER_SEC / 2)
		*deadline =
			clock_mono_ns() + (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
	return 0;
}

long sys_pause(const uint64_t a[6])
{
	while (!signal_pending())
		thread_block(TIME_FOREVER, true);
	return -EINTR;
}

long sys_rt_sigsuspend(const uint64_t a[6])
{
	int r;

	if (!a[0])
		return -EFAULT;
	r = signal_temp_mask(a[0], a[1]);
	return r ? r : sys_pause(a);
}

long sys_rt_sigtimedwait(const uint64_t a[6])
{
	struct sigstate *s = &current_thread->sig;
	uint64_t set, mask = s->mask, deadline = TIME_FOREVER;
	struct siginfo info;
	int signo, r;

	if (a[3] != SIGSET_BYTES)
		return -EINVAL;
	if (get_user(&set, a[0]))
		return -EFAULT;
	if (a[2]) {
		r = read_timeout(a[2], &deadline);
		if (r)
			return r;
	}
	set &= ~(sigbit(SIGKILL) | sigbit(SIGSTOP));
	while (!(signo = signal_dequeue(set, &info))) {
		s->mask = mask & ~set; /* so that one of them ends the sleep */
		r = thread_block(deadline, true);
		s->mask = mask;
		signo = signal_dequeue(set, &info);
		if (signo)
			break;
		if (r)
			return r == -ETIMEDOUT ? -EAGAIN : r;
	}
	if (a[1] && put_user(a[1], &info))
		return -EFAULT;
	return signo;
}
