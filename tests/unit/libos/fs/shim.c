/* SPDX-License-Identifier: Apache-2.0 */
/* See shim.h. */
#include "tests/unit/libos/fs/shim.h"

#include "libos/drv/console.h"
#include "libos/drv/virtio_vsock.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/random.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/uaccess.h"
#include "libos/exec/args.h"
#include "libos/fs/procfs.h"
#include "libos/fs/file.h"
#include "libos/fs/inode.h"
#include "libos/ipc/proc.h"
#include "libos/mem/vm.h"
#include "libos/sched/clock.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/limits.h"
#include "libos/sys/sys_info.h"
#include "libos/sys/table.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap(void *addr, size_t len, int prot, int flags, int fd,
	long off); /* sys/mman.h defines what mem/vm.h defines */

#define ARENA_PAGES 65536u

void (*shim_blocked)(void);
uint64_t shim_now = 1000000000ull, shim_real_offset = 1700000000ull * 1000000000ull;
int shim_signal;
uint64_t shim_nofile = 1024, shim_bad, shim_bad_end;
char shim_console[4096];
size_t shim_console_len;
long shim_alloc_fail_after = -1;
uint64_t shim_unmap_pgoff, shim_unmap_n;
unsigned shim_unmap_calls;

/* The program is root. */
struct cred cred = {.caps = {.effective = CAP_ALL, .permitted = CAP_ALL, .bounding = CAP_ALL}};

bool cred_in_groups(uint32_t gid)
{
	return gid == UINT32_MAX;
}

struct inode;
void vm_unmap_file(struct inode *inode, uint64_t pgoff, uint64_t npages);

void vm_unmap_file(struct inode *inode, uint64_t pgoff, uint64_t npages)
{
	shim_unmap_pgoff = pgoff;
	shim_unmap_n = npages;
	shim_unmap_calls++;
}

/* ---- memory */
static bool alloc_fails(void)
{
	if (shim_alloc_fail_after < 0)
		return false;
	if (!shim_alloc_fail_after)
		return true;
	shim_alloc_fail_after--;
	return false;
}

void *kmalloc(size_t bytes)
{
	return alloc_fails() ? NULL : malloc(bytes ? bytes : 1);
}

void *kzalloc(size_t bytes)
{
	return alloc_fails() ? NULL : calloc(1, bytes ? bytes : 1);
}

void *krealloc(void *p, size_t bytes)
{
	return alloc_fails() ? NULL : realloc(p, bytes);
}

void kfree(void *p)
{
	free(p);
}

char *kstrdup(const char *s)
{
	char *p = kmalloc(strlen(s) + 1);

	return p ? memcpy(p, s, strlen(s) + 1) : NULL;
}

static char *arena;
static uint16_t refs[ARENA_PAGES];
static uint32_t free_stack[ARENA_PAGES], nfree;

static void arena_init(void)
{
	arena = mmap(NULL, ARENA_PAGES * PAGE_BYTES, 3 /* RW */,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (uint32_t i = ARENA_PAGES; i-- > 0;)
		free_stack[nfree++] = i;
	ASAN_POISON_MEMORY_REGION(arena, ARENA_PAGES * PAGE_BYTES);
}

static size_t page_index(const void *p)
{
	return (size_t)((const char *)p - arena) / PAGE_BYTES;
}

void *page_alloc_raw(void)
{
	uint32_t i;

	if (!arena)
		arena_init();
	if (!nfree || alloc_fails())
		return NULL;
	i = free_stack[--nfree];
	refs[i] = 1;
	ASAN_UNPOISON_MEMORY_REGION(arena + i * PAGE_BYTES, PAGE_BYTES);
	return memset(arena + i * PAGE_BYTES, 0xa5, PAGE_BYTES);
}

void *page_alloc(void)
{
	void *p = page_alloc_raw();

	return p ? memset(p, 0, PAGE_BYTES) : NULL;
}

bool page_is_ram(const void *p)
{
	return arena && (const char *)p >= arena &&
		(const char *)p < arena + ARENA_PAGES * PAGE_BYTES;
}

void page_get(void *p)
{
	kassert(page_is_ram(p) && refs[page_index(p)]);
	refs[page_index(p)]++;
}

void page_put(void *p)
{
	kassert(page_is_ram(p) && refs[page_index(p)] && !((uintptr_t)p & PAGE_MASK));
	if (--refs[page_index(p)])
		return;
	ASAN_POISON_MEMORY_REGION(p, PAGE_BYTES);
	free_stack[nfree++] = (uint32_t)page_index(p);
}

/* RAM is in pieces here: who asks for a run has to do with single frames. */
void *page_alloc_run(size_t n)
{
	return n == 1 ? page_alloc_raw() : NULL;
}

void page_free_run(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		page_put((char *)p + i * PAGE_BYTES);
}

uint64_t page_total(void)
{
	return ARENA_PAGES;
}

uint64_t page_free_count(void)
{
	return arena ? nfree : ARENA_PAGES;
}

uint64_t shim_pages_used(void)
{
	return ARENA_PAGES - page_free_count();
}

/* ---- the program's memory */
static bool bad(uptr_t addr, size_t n)
{
	return n &&
		(addr < 65536 || addr + n > UIG_USER_TOP || addr + n < addr ||
			(addr < shim_bad_end && addr + n > shim_bad));
}

int copy_from_user(void *dst, uptr_t src, size_t n)
{
	if (bad(src, n))
		return -EFAULT;
	memcpy(dst, (const void *)src, n);
	return 0;
}

int copy_to_user(uptr_t dst, const void *src, size_t n)
{
	if (bad(dst, n))
		return -EFAULT;
	memcpy((void *)dst, src, n);
	return 0;
}

int clear_user(uptr_t dst, size_t n)
{
	if (bad(dst, n))
		return -EFAULT;
	memset((void *)dst, 0, n);
	return 0;
}

long strncpy_from_user(char *dst, uptr_t src, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bad(src + i, 1))
			return -EFAULT;
		dst[i] = *(const char *)(src + i);
		if (!dst[i])
			return (long)i;
	}
	return -ENAMETOOLONG;
}

long iovec_from_user(struct kiovec *fast, struct kiovec **iov, uptr_t uiov, int count)
{
	uint64_t total = 0;

	if (count < 0 || count > KIOV_MAX)
		return -EINVAL;
	*iov = count <= KIOV_FAST ? fast : kmalloc((size_t)count * sizeof(**iov));
	if (!*iov)
		return -ENOMEM;
	if (copy_from_user(*iov, uiov, (size_t)count * sizeof(**iov)) < 0) {
		iovec_free(fast, *iov);
		return -EFAULT;
	}
	for (int i = 0; i < count; i++) {
		if ((int64_t)(*iov)[i].len < 0) {
			iovec_free(fast, *iov);
			return -EINVAL;
		}
		total += (*iov)[i].len;
	}
	return (long)total;
}

void iovec_free(struct kiovec *fast, struct kiovec *iov)
{
	if (iov != fast)
		kfree(iov);
}

/* ---- time and waiting */
static struct ktimer *timers; /* by deadline */

uint64_t clock_mono_ns(void)
{
	return shim_now;
}

uint64_t clock_real_ns(void)
{
	return shim_now + shim_real_offset;
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *))
{
	*t = (struct ktimer){.fn = fn};
}

void ktimer_cancel(struct ktimer *t)
{
	struct ktimer **p = &timers;

	while (*p && *p != t)
		p = &(*p)->next;
	if (*p)
		*p = t->next;
	t->armed = false;
}

void ktimer_set(struct ktimer *t, uint64_t deadline)
{
	struct ktimer **p = &timers;

	ktimer_cancel(t);
	while (*p && (*p)->deadline <= deadline)
		p = &(*p)->next;
	t->deadline = deadline;
	t->armed = true;
	t->next = *p;
	*p = t;
}

bool ktimer_armed(const struct ktimer *t)
{
	return t->armed;
}

struct waiter {
	struct list link;
	bool woken;
};

void thread_turn(void) {}

unsigned waitq_wake(struct waitq *q, unsigned n)
{
	unsigned done = 0;

	for (struct list *l; done < n && (l = list_pop(&q->waiters)); done++)
		container_of(l, struct waiter, link)->woken = true;
	return done;
}

static bool run_timer(uint64_t until)
{
	struct ktimer *t = timers;

	if (!t || t->deadline > until)
		return false;
	if (t->deadline > shim_now)
		shim_now = t->deadline;
	ktimer_cancel(t);
	t->fn(t);
	return true;
}

int waitq_wait(struct waitq *q, uint64_t deadline)
{
	struct waiter w = {.woken = false};
	int rc = 0;

	list_init(&w.link);
	list_add_tail(&q->waiters, &w.link);
	if (shim_blocked) {
		void (*fn)(void) = shim_blocked;

		shim_blocked = NULL;
		fn();
	}
	while (!w.woken && run_timer(deadline))
		;
	if (!w.woken) {
		rc = deadline == TIME_FOREVER ? -EINTR : -ETIMEDOUT;
		if (deadline != TIME_FOREVER)
			shim_now = deadline;
	}
	list_del(&w.link);
	return rc;
}

int waitq_wait_uninterruptible(struct waitq *q, uint64_t deadline)
{
	return waitq_wait(q, deadline);
}

/* ---- signals, threads, address space: as much as is asked for */
struct process process;
static struct thread main_thread = {.tid = 1, .comm = "test"};
struct args boot_args;
static struct pollable signal_news = {LIST_INIT(signal_news.watchers)};
static uint64_t signal_set;

void shim_send(int signo)
{
	signal_set |= sigbit(signo);
	poll_notify(&signal_news, POLLIN);
}

int signal_dequeue(uint64_t set, struct siginfo *info)
{
	for (int n = 1; n <= SIGNALS; n++) {
		if (!(signal_set & set & sigbit(n)))
			continue;
		signal_set &= ~sigbit(n);
		*info = (struct siginfo){.signo = n, .code = SI_USER, .sender = {.pid = 1}};
		return n;
	}
	return 0;
}

uint64_t signal_pending_set(void)
{
	return signal_set;
}

/* What there is, is blocked and for signalfd: nothing is to be delivered. */
bool signal_pending(void)
{
	return false;
}

struct pollable *signal_pollable(void)
{
	return &signal_news;
}

/* The files of net/, which is not there. */
int proc_net_if_inet6(struct text *t, uint64_t n)
{
	return 0;
}

int proc_net_dev(struct text *t, uint64_t n)
{
	text_printf(t, "Inter-|\n");
	return 0;
}

int proc_aio_nr(struct text *t, uint64_t n)
{
	text_printf(t, "0\n");
	return 0;
}

int proc_net_tcp(struct text *t, uint64_t n)
{
	text_printf(t, "sl\n");
	return 0;
}

int proc_net_tcp6(struct text *t, uint64_t n)
{
	text_printf(t, "sl\n");
	return 0;
}

int proc_net_udp(struct text *t, uint64_t n)
{
	text_printf(t, "sl\n");
	return 0;
}

int proc_net_udp6(struct text *t, uint64_t n)
{
	text_printf(t, "sl\n");
	return 0;
}

/* Those of ipc/. */
int proc_sysvipc_shm(struct text *t, uint64_t n)
{
	return 0;
}

int proc_sysvipc_sem(struct text *t, uint64_t n)
{
	return 0;
}

int proc_sysvipc_msg(struct text *t, uint64_t n)
{
	return 0;
}

struct thread *thread_current(void)
{
	return &main_thread;
}

int thread_tid(const struct thread *t)
{
	return t->tid;
}

struct thread *thread_by_tid(int tid)
{
	if (!process.threads.next) {
		list_init(&process.threads);
		list_add_tail(&process.threads, &main_thread.all);
		process.nthreads = 1;
	}
	return tid == main_thread.tid ? &main_thread : NULL;
}

uint64_t thread_cpu_ns(const struct thread *t)
{
	return 20000000;
}

uint64_t process_cpu_ns(void)
{
	return 20000000;
}

uint64_t clock_khz(void)
{
	return 2000000;
}

bool vm_maps_writable(const struct inode *inode);
bool vm_maps_writable(const struct inode *inode)
{
	(void)inode;
	return false;
}

size_t vm_print_maps(char *buf, size_t size)
{
	return (size_t)snprintf(buf, size,
		"00400000-00401000 r-xp 00000000 00:15 7 /bin/x\n7ff000-800000 rw-p 00000000 00:00 "
		"0 [stack]\n");
}

void vm_usage(uint64_t *mapped, uint64_t *resident)
{
	*mapped = 8192;
	*resident = 4096;
}

uint64_t vm_locked(uptr_t start, uptr_t end)
{
	return 0;
}

int signal_temp_mask(uptr_t uset, uint64_t size)
{
	return uset && size != 8 ? -EINVAL : 0;
}

void signal_thread_sync(int signo)
{
	shim_signal = signo;
}

/* ---- the rest */
uint64_t rlimit_soft(unsigned resource)
{
	return resource == RLIMIT_NOFILE ? shim_nofile : RLIM_INFINITY;
}

uint64_t rlimit_hard(unsigned resource)
{
	return rlimit_soft(resource);
}

/* No machine, no disks. */
int blkdev_open(struct inode *inode, struct file *f)
{
	return -ENXIO;
}

bool blkdev_node(unsigned n, char name[4], uint64_t *rdev)
{
	return false;
}

uint32_t vvsock_cid(void)
{
	return 0;
}

void console_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len && shim_console_len < sizeof(shim_console); i++)
		shim_console[shim_console_len++] = text[i];
}

unsigned random_generation = 1;

void random_bytes(void *dst, size_t n)
{
	memset(dst, 0x5a, n);
}

void random_seed(const void *entropy, size_t n) {}

void kprintf(const char *fmt, ...) {}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src), k = n < size ? n : size - 1;

	if (size) {
		memcpy(dst, src, k);
		dst[k] = 0;
	}
	return n;
}

int parse_u64(const char **s, uint64_t *value)
{
	uint64_t v = 0;
	const char *p = *s;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -EINVAL;
	}
	*s = p;
	*value = v;
	return 0;
}

long libos_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	const uint64_t args[6] = {a, b, c, d, e, f};

	return syscall_table[nr].fn ? syscall_table[nr].fn(args) : -ENOSYS;
}

long host_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return rc;
}

char domain_name[UTS_FIELD] = "(none)";

uint64_t vm_resident(uptr_t start, uptr_t end)
{
	return 0;
}

bool thread_exists(int tid)
{
	return tid == 1;
}

void shim_obey_limits(void)
{
	uint32_t head[2] = {0x20080522, 0}, data[6]; /* capget(2), version 3 */

	cred.caps.effective &= ~CAP_BIT(CAP_SYS_RESOURCE);
	if (syscall(SYS_capget, head, data) < 0)
		abort();
	data[0] &= ~(1u << CAP_SYS_RESOURCE); /* effective */
	if (syscall(SYS_capset, head, data) < 0)
		abort();
}
