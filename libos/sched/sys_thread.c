/* SPDX-License-Identifier: Apache-2.0 */
/* Threads as the program makes and ends them. There are no other processes: fork and its kin answer -ENOSYS. */
#include "libos/arch/x86_64/cpu.h"
#include "libos/drv/console.h"
#include "libos/drv/net.h"
#include "libos/drv/platform.h"
#include "libos/drv/virtio_vsock.h"
#include "libos/fs/file.h"
#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sched/futex.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/syscall.h"

#define CLONE_VM             0x00000100u
#define CLONE_FS             0x00000200u
#define CLONE_FILES          0x00000400u
#define CLONE_SIGHAND        0x00000800u
#define CLONE_THREAD         0x00010000u
#define CLONE_PIDFD          0x00001000u
#define CLONE_NEWNS          0x00020000u
#define CLONE_DETACHED       0x00400000u
#define CLONE_SETTLS         0x00080000u
#define CLONE_PARENT_SETTID  0x00100000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_CHILD_SETTID   0x01000000u
#define FUTEX_WAITERS        0x80000000u
#define FUTEX_OWNER_DIED     0x40000000u
#define FUTEX_TID_MASK       0x3fffffffu
#define ROBUST_LIMIT         2048u
#define ROBUST_BYTES         24u
#define CLONE_THREAD_SET     (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

struct clone_args { /* struct clone_args of clone3(2), version 0 */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

void thread_set_name(struct thread *t, const char *path)
{
	const char *slash = strrchr(path, '/');

	strlcpy(t->comm, slash ? slash + 1 : path, sizeof(t->comm));
}

static int clone_tids(const struct thread *t, const struct clone_args *c)
{
	int32_t tid = t->tid;

	if (c->flags & CLONE_PARENT_SETTID && put_user(c->parent_tid, &tid))
		return -EFAULT;
	if (c->flags & CLONE_CHILD_SETTID && put_user(c->child_tid, &tid))
		return -EFAULT;
	return 0;
}

/* ENOSYS, not EAGAIN: shells try that one again and again, and programs would report a passing shortage. Said once. */
static long no_process(const char *call)
{
	static bool said;

	if (!said)
		kprintf("%s: an instance is one process, it cannot make another process: -ENOSYS",
			call);
	said = true;
	return -ENOSYS;
}

long sys_fork(const uint64_t a[6])
{
	return no_process("fork");
}

long sys_vfork(const uint64_t a[6])
{
	return no_process("vfork");
}

long sys_execve(const uint64_t a[6])
{
	int rc = vfs_may_execute(a[0], a[1], a[2]);

	return rc < 0 ? rc : no_process("execve");
}

static long clone_thread(const struct clone_args *c, const char *call)
{
	struct regs regs = *thread_regs(current_thread);
	struct thread *t;

	if ((c->flags & CLONE_THREAD_SET) != CLONE_THREAD_SET)
		return no_process(call);
	if (c->flags & CLONE_SETTLS && (!cpu_canonical(c->tls) || c->tls >= UIG_USER_TOP))
		return -EPERM;
	regs.rax = 0;
	regs.rcx = regs.rip;
	regs.r11 = regs.rflags;
	if (c->stack)
		regs.rsp = c->stack;
	t = thread_new(&regs);
	if (!t)
		return -EAGAIN;
	if (clone_tids(t, c)) {
		thread_free_unused(t);
		return -EFAULT;
	}
	t->fs_base = c->flags & CLONE_SETTLS ? c->tls : cpu_fs_base();
	t->gs_base = cpu_gs_base();
	cpu_vector_init(t->vector);
	cpu_vector_store(t->vector);
	memcpy(t->comm, current_thread->comm, sizeof(t->comm));
	signal_thread_init(&t->sig, current_thread->sig.mask);
	if (c->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = c->child_tid;
	thread_wake(t);
	return t->tid;
}

/* Combinations that mean nothing, in the order in which Linux looks. */
static bool clone_refused(uint64_t flags)
{
	if ((flags & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS))
		return true;
	if (flags & CLONE_THREAD && !(flags & CLONE_SIGHAND))
		return true;
	if (flags & CLONE_SIGHAND && !(flags & CLONE_VM))
		return true;
	return flags & CLONE_PIDFD && flags & CLONE_DETACHED;
}

long sys_clone(const uint64_t a[6])
{
	struct clone_args c = {
		.flags = a[0], .stack = a[1], .parent_tid = a[2], .child_tid = a[3], .tls = a[4]};

	if (clone_refused(c.flags))
		return -EINVAL;
	return clone_thread(&c, "clone");
}

long sys_clone3(const uint64_t a[6])
{
	struct clone_args c;

	if (a[1] < sizeof(c))
		return -EINVAL;
	if (a[1] > PAGE_BYTES)
		return -E2BIG;
	if (get_user(&c, a[0]))
		return -EFAULT;
	if (c.flags & (0xff | CLONE_DETACHED) || !c.stack != !c.stack_size ||
		(c.flags & CLONE_THREAD && c.exit_signal) || clone_refused(c.flags))
		return -EINVAL;
	c.stack += c.stack_size;
	return clone_thread(&c, "clone3");
}

/* ---- when a thread ends */

static void clear_tid(struct thread *t)
{
	uint32_t zero = 0;

	if (t->clear_child_tid && !put_user(t->clear_child_tid, &zero))
		futex_wake_addr(t->clear_child_tid, 1);
	t->clear_child_tid = 0;
}

/* The owner of a lock word dies: marks it, wakes one who waits. */
static void owner_died(uptr_t word, int tid, bool pending)
{
	uint32_t value, died;

	if (word & 3 || get_user(&value, word))
		return;
	if (pending && !value) {
		futex_wake_addr(word, 1);
		return;
	}
	if ((value & FUTEX_TID_MASK) != (uint32_t)tid)
		return;
	died = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	if (!put_user(word, &died) && value & FUTEX_WAITERS)
		futex_wake_addr(word, 1);
}

static void robust_list_exit(struct thread *t)
{
	struct {
		uint64_t next;
		int64_t offset;
		uint64_t pending;
	} head;
	uint64_t at, next;

	if (!t->robust_list || get_user(&head, t->robust_list))
		return;
	at = head.next & ~1ull;
	for (unsigned n = 0; at != t->robust_list && n < ROBUST_LIMIT; n++) {
		if (get_user(&next, at))
			return;
		if (at != (head.pending & ~1ull))
			owner_died(at + (uint64_t)head.offset, t->tid, false);
		at = next & ~1ull;
	}
	if (head.pending & ~1ull)
		owner_died((head.pending & ~1ull) + (uint64_t)head.offset, t->tid, true);
}

long sys_set_robust_list(const uint64_t a[6])
{
	if (a[1] != ROBUST_BYTES)
		return -EINVAL;
	current_thread->robust_list = a[0];
	return 0;
}

long sys_get_robust_list(const uint64_t a[6])
{
	struct thread *t = a[0] ? thread_by_tid((int)a[0]) : current_thread;
	uint64_t len = ROBUST_BYTES;

	if (!t)
		return -ESRCH;
	return put_user(a[2], &len) || put_user(a[1], &t->robust_list) ? -EFAULT : 0;
}

/* ---- ends */

void process_exit(int status)
{
	vfs_sync_all(true);
	for (int fd = fd_next(0); fd >= 0; fd = fd_next(fd + 1))
		fd_close(fd);
	vvsock_drain();
	net_exit_drain(); /* data in flight outlives the program */
	console_flush();
	platform_exit(UIG_EXIT_CODE, (unsigned)status & 0xff);
}

long sys_exit(const uint64_t a[6])
{
	robust_list_exit(current_thread);
	futex_pi_owner_exits(current_thread->tid);
	clear_tid(current_thread);
	thread_exit((int)a[0]);
}

long sys_exit_group(const uint64_t a[6])
{
	process_exit((int)a[0]);
}

long sys_set_tid_address(const uint64_t a[6])
{
	current_thread->clear_child_tid = a[0];
	return current_thread->tid;
}

long sys_gettid(const uint64_t a[6])
{
	return current_thread->tid;
}

long sys_sched_yield(const uint64_t a[6])
{
	thread_yield();
	return 0;
}
