/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals of the one process: sets, dispositions, sending and taking. Numbers and structures are those of Linux x86-64
 * (man 7 signal, man 2 sigaction). A signal that is ignored is dropped when it is sent, unless it is blocked.
 */
#ifndef LIBOS_SCHED_SIGNAL_H
#define LIBOS_SCHED_SIGNAL_H

#include "abi/types.h"
#include "libos/klib/list.h"
#include "libos/mem/uaccess.h"

#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGUSR1   10
#define SIGSEGV   11
#define SIGUSR2   12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGNALS   64

#define sigbit(n) (1ull << ((n)-1))

#define SIG_DFL 0ull
#define SIG_IGN 1ull

#define SA_NOCLDSTOP 0x1u
#define SA_SIGINFO   0x4u
#define SA_RESTORER  0x04000000u
#define SA_ONSTACK   0x08000000u
#define SA_RESTART   0x10000000u
#define SA_NODEFER   0x40000000u
#define SA_RESETHAND 0x80000000u

#define SI_USER     0
#define SI_KERNEL   0x80
#define SI_QUEUE    (-1)
#define SI_TIMER    (-2)
#define SI_TKILL    (-6)
#define ILL_ILLOPN  2
#define FPE_INTDIV  1
#define FPE_FLTDIV  3
#define FPE_FLTOVF  4
#define FPE_FLTUND  5
#define FPE_FLTRES  6
#define FPE_FLTINV  7
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN  1
#define BUS_ADRERR  2
#define TRAP_BRKPT  1
#define TRAP_TRACE  2

struct siginfo {
	int32_t signo, error, code, pad;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			uint64_t value;
		} sender;
		uint64_t addr;
		uint8_t bytes[112];
	};
};
ABI_ASSERT_SIZE(struct siginfo, 128);

/* struct sigaction of the system call. */
struct sigaction {
	uint64_t handler, flags, restorer, mask;
};

struct sigpending {
	uint64_t set;
	struct list queue; /* of queued siginfo, see signal.c */
};

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000u
struct sigstack {
	uint64_t sp;
	uint32_t flags, pad;
	uint64_t size;
};

struct sigstate { /* per thread */
	uint64_t mask;
	struct sigpending pending;
	uint64_t saved_mask; /* to come back to, while restore */
	bool restore;
	struct sigstack alt;
	uint64_t trap_no, trap_error, trap_addr; /* of the last exception */
};

struct thread;
struct regs;
struct pollable;

void signal_init(void);
void signal_thread_init(struct sigstate *s, uint64_t mask);
void signal_thread_exit(struct sigstate *s);

/* Sends to one thread, or to the process. The structure is copied. */
void signal_send_thread(struct thread *t, const struct siginfo *info);
void signal_send_process(const struct siginfo *info);
/* Is a call to be refused with -EAGAIN, because as many wait as RLIMIT_SIGPENDING allows? Only signals that are counted are. */
bool signal_queue_full(const struct siginfo *info);
#define SIGRTMIN 32
/* An exception of the calling thread: kills the process when it is blocked or ignored. */
void signal_force(const struct siginfo *info);

/* Takes one signal of set that is pending for the calling thread or the process: its number, or 0. For signalfd, sigtimedwait. */
int signal_dequeue(uint64_t set, struct siginfo *info);
/* What is pending for the calling thread or the process. */
uint64_t signal_pending_set(void);
/* Told (POLLIN) when a signal comes in, whether blocked or not: for signalfd. */
struct pollable *signal_pollable(void);

/* A call's result says "start again" (-ERESTARTSYS, -ERESTARTNOINTR). */
bool signal_restarts(const struct regs *regs);

/* For ppoll, pselect6, epoll_pwait: the program's set is the mask until the call ends; handlers that interrupted it run under it still, and
 * return to the old one. uset 0: no change. 0, -EINVAL, -EFAULT. */
int signal_temp_mask(uptr_t uset, uint64_t size);
void signal_set_mask(uint64_t mask);

const struct sigaction *signal_action(int signo);
void signal_set_action(int signo, const struct sigaction *act);

/* At the end of a call or exception: delivers what is pending; true when registers changed. */
bool signal_deliver(struct regs *regs);

/* Builds a handler's frame; -EFAULT when the stack is bad. sigframe.c. */
int sigframe_push(
	struct regs *regs, const struct sigaction *act, const struct siginfo *info, uint64_t mask);
/* rt_sigreturn; -EFAULT when the frame is bad. */
int sigframe_pop(struct regs *regs);
/* Bytes a frame takes at most: AT_MINSIGSTKSZ. */
uint64_t sigframe_bytes(void);

#endif
