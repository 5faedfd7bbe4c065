/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex(2). A waiter lives on the stack of its thread and in the bucket of its address; whoever wakes it takes it out of
 * the bucket and sets `woken`, so a wake-up and a signal or time-out that come together are counted once. There is
 * one process, so private and shared futexes are the same and the key is the virtual address. Looking at the word and going to
 * sleep is atomic because the libOS is not preempted (sched/thread.h).
 */
#include "libos/sched/futex.h"

#include "abi/layout.h"
#include "libos/klib/errno.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_REQUEUE        3
#define FUTEX_CMP_REQUEUE    4
#define FUTEX_WAKE_OP        5
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_PRIVATE_FLAG   128
#define FUTEX_CLOCK_REALTIME 256
#define BITSET_ANY           0xffffffffu

#define BUCKETS 64u

struct waiter {
	struct list link; /* bucket of addr */
	struct thread *thread;
	uptr_t addr;
	uint32_t bitset;
	bool woken;
};

static struct list buckets[BUCKETS];

static struct list *bucket(uptr_t addr)
{
	struct list *b = &buckets[(addr >> 2) * 0x9e3779b97f4a7c15ull >> 58];

	if (!b->next)
		list_init(b);
	return b;
}

static unsigned wake(uptr_t addr, int n, uint32_t bitset)
{
	struct list *b = bucket(addr);
	unsigned woken = 0;

	list_for_each_safe (w, b, struct waiter, link) {
		if (w->addr != addr || !(w->bitset & bitset))
			continue;
		list_del(&w->link);
		w->woken = true;
		thread_wake(w->thread);
		if ((int)++woken >= n)
			break;
	}
	return woken;
}

unsigned futex_wake_addr(uptr_t addr, unsigned n)
{
	return wake(addr, (int)n, BITSET_ANY);
}

static int read_word(uptr_t addr, uint32_t *word)
{
	if (addr % sizeof(*word))
		return -EINVAL;
	return get_user(word, addr) < 0 ? -EFAULT : 0;
}

static long wait(uptr_t addr, uint32_t expected, uint32_t bitset, uint64_t deadline)
{
	struct waiter w = {.thread = current_thread, .addr = addr, .bitset = bitset};
	uint32_t word;
	int r;

	if (!bitset)
		return -EINVAL;
	r = read_word(addr, &word);
	if (r < 0)
		return r;
	if (word != expected)
		return -EAGAIN;
	list_add_tail(bucket(addr), &w.link);
	do {
		r = thread_block(deadline, true);
	} while (r == 0 && !w.woken);
	if (w.woken)
		return 0;
	list_del(&w.link);
	/* A relative time-out can not be restarted with the time that is left, so the program sees the interruption. */
	return r == -EINTR && deadline == TIME_FOREVER ? -ERESTARTSYS : r;
}

/* The deadline on clock_mono_ns(): FUTEX_WAIT's time is relative, FUTEX_WAIT_BITSET's absolute. */
static int read_deadline(uptr_t utime, int cmd, bool realtime, uint64_t *deadline)
{
	uint64_t now = clock_mono_ns(), ns;
	struct timespec ts;

	*deadline = TIME_FOREVER;
	if (!utime)
		return 0;
	if (get_user(&ts, utime) < 0)
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	if ((uint64_t)ts.tv_sec >= TIME_FOREVER / NS_PER_SEC / 2)
		return 0;
	ns = (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
	if (cmd == FUTEX_WAIT) {
		*deadline = now + ns;
	} else if (realtime) {
		uint64_t real = clock_real_ns();

		*deadline = ns > real ? now + (ns - real) : now;
	} else {
		*deadline = ns;
	}
	return 0;
}

/* Wakes nwake of the waiters at addr and moves nmove others to addr2; returns both together, as Linux does. */
static long requeue(uptr_t addr, uptr_t addr2, int nwake, int nmove, const uint32_t *expected)
{
	struct list *from = bucket(addr), *to = bucket(addr2);
	uint32_t word;
	int done = 0;
	int r = read_word(addr, &word);

	if (nwake < 0 || nmove < 0 || addr2 % sizeof(word))
		return -EINVAL;
	if (r < 0)
		return r;
	if (expected && word != *expected)
		return -EAGAIN;
	list_for_each_safe (w, from, struct waiter, link) {
		if (w->addr != addr)
			continue;
		if (done >= nwake + nmove)
			break;
		if (done++ < nwake) {
			list_del(&w->link);
			w->woken = true;
			thread_wake(w->thread);
		} else if (addr2 != addr) {
			list_del(&w->link);
			w->addr = addr2;
			list_add_tail(to, &w->link);
		}
	}
	return done;
}

/* FUTEX_WAKE_OP's third value: operation, comparison and their operands (futex(2)). */
static int wake_op_apply(uptr_t addr2, uint32_t code, bool *matches)
{
	unsigned op = code >> 28 & 7, cmp = code >> 24 & 15;
	int32_t oparg = (int32_t)(code << 8) >> 20, cmparg = (int32_t)(code << 20) >> 20;
	uint32_t *word, old;

	if (addr2 % sizeof(*word))
		return -EINVAL;
	word = user_range(addr2, sizeof(*word), 1);
	if (!word)
		return -EFAULT;
	if (code >> 31)
		oparg = 1 << (oparg & 31);
	old = *word;
	switch (op) {
	case 0:
		*word = (uint32_t)oparg;
		break;
	case 1:
		*word = old + (uint32_t)oparg;
		break;
	case 2:
		*word = old | (uint32_t)oparg;
		break;
	case 3:
		*word = old & ~(uint32_t)oparg;
		break;
	case 4:
		*word = old ^ (uint32_t)oparg;
		break;
	default: /* outside numbers */
		return -ENOSYS;
	}
	switch (cmp) {
	case 0:
		*matches = (int32_t)old == cmparg;
		return 0;
	case 1:
		*matches = (int32_t)old != cmparg;
		return 0;
	case 2:
		*matches = (int32_t)old < cmparg;
		return 0;
	case 3:
		*matches = (int32_t)old <= cmparg;
		return 0;
	case 4:
		*matches = (int32_t)old > cmparg;
		return 0;
	case 5:
		*matches = (int32_t)old >= cmparg;
		return 0;
	default: /* outside numbers */
		return -ENOSYS;
	}
}

static long wake_op(uptr_t addr, uptr_t addr2, int nwake, int nwake2, uint32_t code)
{
	bool matches = false;
	long n;
	int r;

	if (addr % sizeof(uint32_t))
		return -EINVAL;
	r = wake_op_apply(addr2, code, &matches);
	if (r < 0)
		return r;
	n = wake(addr, nwake, BITSET_ANY);
	if (matches)
		n += wake(addr2, nwake2, BITSET_ANY);
	return n;
}

long sys_futex(const uint64_t a[6])
{
	uptr_t addr = a[0], addr2 = a[4];
	int op = (int)a[1];
	int cmd = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	bool realtime = op & FUTEX_CLOCK_REALTIME;
	uint32_t val = (uint32_t)a[2], val3 = (uint32_t)a[5];
	uint64_t deadline;
	int r;

	if (realtime && cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		r = read_deadline(a[3], cmd, realtime, &deadline);
		if (r < 0)
			return r;
		return wait(addr, val, cmd == FUTEX_WAIT ? BITSET_ANY : val3, deadline);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		if (addr % sizeof(uint32_t) || (cmd == FUTEX_WAKE_BITSET && !val3))
			return -EINVAL;
		if (addr >= UIG_USER_TOP)
			return -EFAULT;
		return wake(addr, (int)val, cmd == FUTEX_WAKE ? BITSET_ANY : val3);
	case FUTEX_REQUEUE:
		return requeue(addr, addr2, (int)val, (int)a[3], NULL);
	case FUTEX_CMP_REQUEUE:
		return requeue(addr, addr2, (int)val, (int)a[3], &val3);
	case FUTEX_WAKE_OP:
		return wake_op(addr, addr2, (int)val, (int)a[3], val3);
	default: /* outside numbers: the priority-inheriting ones among them */
		return -ENOSYS;
	}
}
