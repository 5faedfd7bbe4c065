/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex(2). A waiter lives on the stack of its thread and in the bucket of its address; whoever wakes it takes it out of
 * the bucket and sets `woken`, so a wake-up and a signal or time-out that come together are counted once. There is
 * one process, so the key is the virtual address, or file and offset in shared mappings of files (two of them may show one word). Looking at the word and going to
 * sleep is atomic because the libOS is not preempted (sched/thread.h).
 */
#include "libos/sched/futex_impl.h"

#include "abi/layout.h"
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/vm.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/time.h"

#define FUTEX_WAIT            0
#define FUTEX_WAKE            1
#define FUTEX_REQUEUE         3
#define FUTEX_CMP_REQUEUE     4
#define FUTEX_WAKE_OP         5
#define FUTEX_LOCK_PI         6
#define FUTEX_UNLOCK_PI       7
#define FUTEX_TRYLOCK_PI      8
#define FUTEX_WAIT_BITSET     9
#define FUTEX_WAKE_BITSET     10
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI  12
#define FUTEX_LOCK_PI2        13
#define FUTEX_PRIVATE_FLAG    128
#define FUTEX_CLOCK_REALTIME  256

#define BUCKETS 64u

static struct list buckets[BUCKETS];

bool futex_same(const struct futex_key *a, const struct futex_key *b)
{
	return a->inode == b->inode && a->at == b->at;
}

/* The word must be aligned; a shared one must be there, although not all operations look at it. */
int futex_key_of(uptr_t addr, bool shared, struct futex_key *key)
{
	uint32_t word;

	*key = (struct futex_key){NULL, addr};
	if (addr % sizeof(word))
		return -EINVAL;
	if (addr >= UIG_USER_TOP || (shared && get_user(&word, addr) < 0))
		return -EFAULT;
	return shared ? vm_shared_place(addr, &key->inode, &key->at) : 0;
}

struct list *futex_bucket(const struct futex_key *key)
{
	struct list *b =
		&buckets[(((uint64_t)key->inode ^ key->at) >> 2) * 0x9e3779b97f4a7c15ull >> 58];

	if (!b->next)
		list_init(b);
	return b;
}

/* They are woken as they came, those of a higher priority first. */
void futex_enqueue(struct futex_waiter *w)
{
	struct list *b = futex_bucket(&w->key), *pos = b;
	unsigned priority = w->thread->class.priority;

	if (priority) {
		for (pos = b->next; pos != b; pos = pos->next) {
			if (container_of(pos, struct futex_waiter, link)->thread->class.priority <
				priority)
				break;
		}
	}
	list_add_before(pos, &w->link);
}

void futex_wake_one(struct futex_waiter *w)
{
	list_del(&w->link);
	w->woken = true;
	thread_wake(w->thread);
}

/* Who waits to get a lock with FUTEX_WAIT_REQUEUE_PI can not be woken without it: -EINVAL. */
static long wake(const struct futex_key *key, int n, uint32_t bitset)
{
	struct list *b = futex_bucket(key);
	long woken = 0;

	list_for_each_safe (w, b, struct futex_waiter, link) {
		if (!futex_same(&w->key, key))
			continue;
		if (w->pi)
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		futex_wake_one(w);
		if ((int)++woken >= n)
			break;
	}
	return woken;
}

unsigned futex_wake_addr(uptr_t addr, unsigned n)
{
	struct futex_key key;
	long woken = futex_key_of(addr, true, &key) ? 0 : wake(&key, (int)n, FUTEX_BITSET_ANY);

	return woken > 0 ? (unsigned)woken : 0;
}

int futex_read_word(uptr_t addr, uint32_t *word)
{
	if (addr % sizeof(*word))
		return -EINVAL;
	return get_user(word, addr) < 0 ? -EFAULT : 0;
}

static long wait(uptr_t addr, bool shared, uint32_t expected, uint32_t bitset, uint64_t deadline)
{
	struct futex_waiter w = {.thread = current_thread, .bitset = bitset};
	uint32_t word;
	int r;

	if (!bitset)
		return -EINVAL;
	r = futex_key_of(addr, shared, &w.key);
	if (!r)
		r = futex_read_word(addr, &word);
	if (r < 0)
		return r;
	if (word != expected)
		return -EAGAIN;
	futex_enqueue(&w);
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
static int read_deadline(uptr_t utime, bool relative, bool realtime, uint64_t *deadline)
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
	if (relative) {
		*deadline = now + ns;
	} else if (realtime) {
		uint64_t real = clock_real_ns();

		*deadline = ns > real ? now + (ns - real) : now;
	} else {
		*deadline = ns;
	}
	return 0;
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

static long wake_op(uptr_t addr, uptr_t addr2, bool shared, int nwake, int nwake2, uint32_t code)
{
	struct futex_key key, key2;
	bool matches = false;
	long n;
	int r;

	r = futex_key_of(addr, shared, &key);
	if (!r)
		r = futex_key_of(addr2, shared, &key2);
	if (r < 0)
		return r;
	r = wake_op_apply(addr2, code, &matches);
	if (r < 0)
		return r;
	n = wake(&key, nwake, FUTEX_BITSET_ANY);
	if (n >= 0 && matches) {
		long more = wake(&key2, nwake2, FUTEX_BITSET_ANY);

		n = more < 0 ? more : n + more;
	}
	return n;
}

long sys_futex(const uint64_t a[6])
{
	uptr_t addr = a[0], addr2 = a[4];
	int op = (int)a[1];
	int cmd = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	bool realtime = op & FUTEX_CLOCK_REALTIME, shared = !(op & FUTEX_PRIVATE_FLAG);
	struct futex_key key;
	uint32_t val = (uint32_t)a[2], val3 = (uint32_t)a[5];
	uint64_t deadline;
	int r;

	if (realtime && cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2 &&
		cmd != FUTEX_WAIT_REQUEUE_PI)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		r = read_deadline(a[3], cmd == FUTEX_WAIT, realtime, &deadline);
		if (r < 0)
			return r;
		return wait(
			addr, shared, val, cmd == FUTEX_WAIT ? FUTEX_BITSET_ANY : val3, deadline);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		if (cmd == FUTEX_WAKE_BITSET && !val3)
			return -EINVAL;
		r = futex_key_of(addr, shared, &key);
		if (r < 0)
			return r;
		return wake(&key, (int)val, cmd == FUTEX_WAKE ? FUTEX_BITSET_ANY : val3);
	case FUTEX_REQUEUE:
		return futex_requeue(addr, addr2, shared, (int)val, (int)a[3], NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, addr2, shared, (int)val, (int)a[3], &val3);
	case FUTEX_CMP_REQUEUE_PI:
		return futex_requeue_pi(addr, addr2, shared, (int)val, (int)a[3], val3);
	case FUTEX_WAIT_REQUEUE_PI:
		r = read_deadline(a[3], false, realtime, &deadline);
		return r < 0 ? r : futex_wait_requeue_pi(addr, addr2, shared, val, deadline);
	case FUTEX_WAKE_OP:
		return wake_op(addr, addr2, shared, (int)val, (int)a[3], val3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		r = read_deadline(a[3], false, cmd == FUTEX_LOCK_PI || realtime, &deadline);
		return r < 0 ? r : futex_lock_pi(addr, shared, false, deadline);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(addr, shared, true, TIME_FOREVER);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(addr, shared);
	default: /* outside numbers */
		return -ENOSYS;
	}
}

/* ---- futex_waitv(2) */

#define WAITV_MAX      128u
#define FUTEX2_SIZE    3u
#define FUTEX2_U32     2u
#define FUTEX2_PRIVATE 128u

struct futex_waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

/* Queues a waiter at each word that is as expected; how many, or -errno. */
static long queue_all(struct futex_waiter *w, uptr_t user, unsigned n, unsigned *queued)
{
	struct futex_waitv v;
	uint32_t word;
	int r;

	for (*queued = 0; *queued < n; ++*queued, w++) {
		if (get_user(&v, user + *queued * sizeof(v)))
			return -EFAULT;
		if (v.reserved || v.flags & ~(FUTEX2_SIZE | FUTEX2_PRIVATE) ||
			(v.flags & FUTEX2_SIZE) != FUTEX2_U32)
			return -EINVAL;
		*w = (struct futex_waiter){.thread = current_thread, .bitset = FUTEX_BITSET_ANY};
		r = futex_key_of(v.uaddr, !(v.flags & FUTEX2_PRIVATE), &w->key);
		if (!r)
			r = futex_read_word(v.uaddr, &word);
		if (r < 0)
			return r;
		if (word != (uint32_t)v.val)
			return -EAGAIN;
		futex_enqueue(w);
	}
	return 0;
}

/* Takes the waiters out again; the index of one that was woken, or -1. */
static long unqueue_all(struct futex_waiter *w, unsigned n)
{
	long woken = -1;

	for (unsigned i = 0; i < n; i++) {
		if (w[i].woken)
			woken = i;
		else
			list_del(&w[i].link);
	}
	return woken;
}

static bool any_woken(const struct futex_waiter *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (w[i].woken)
			return true;
	}
	return false;
}

long sys_futex_waitv(const uint64_t a[6])
{
	unsigned n = (unsigned)a[1], queued;
	uint64_t deadline = TIME_FOREVER;
	struct futex_waiter *w;
	long r, woken;

	if ((unsigned)a[2] || !a[0] || !n || n > WAITV_MAX ||
		(a[3] && (int)a[4] != CLOCK_MONOTONIC && (int)a[4] != CLOCK_REALTIME))
		return -EINVAL;
	r = read_deadline(a[3], false, (int)a[4] == CLOCK_REALTIME, &deadline);
	if (r < 0)
		return r;
	w = kmalloc(n * sizeof(*w));
	if (!w)
		return -ENOMEM;
	r = queue_all(w, a[0], n, &queued);
	while (!r && !any_woken(w, n))
		r = thread_block(deadline, true);
	woken = unqueue_all(w, queued);
	kfree(w);
	if (woken >= 0)
		return woken;
	return r == -EINTR ? -ERESTARTSYS : r;
}
