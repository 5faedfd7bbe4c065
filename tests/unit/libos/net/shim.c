/* SPDX-License-Identifier: Apache-2.0 */
/* See shim.h. */
#include "tests/unit/libos/net/shim.h"

#include "libos/drv/platform.h"
#include "libos/fs/inode.h"
#include "libos/fs/notify.h"
#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/random.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/event.h"
#include "libos/sched/thread.h"
#include "libos/sys/cred.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cred cred = {.caps = {.effective = CAP_ALL}}; /* root */

uint64_t shim_now = 1000000000ull;
bool shim_deadlock, shim_signal;
unsigned shim_sigpipes, shim_notifies;
long shim_fail_after = -1;
uint64_t shim_bad, shim_bad_end;
void (*shim_device)(void);
char shim_console[8192];

static long live;

/* ---- memory */

static bool fails(void)
{
	if (shim_fail_after < 0)
		return false;
	if (shim_fail_after == 0)
		return true;
	shim_fail_after--;
	return false;
}

void *kmalloc(size_t n)
{
	void *p = fails() ? NULL : malloc(n ? n : 1);

	if (p)
		memset(p, 0xa5, n);
	live += p != NULL;
	return p;
}

void *kzalloc(size_t n)
{
	void *p = kmalloc(n);

	return p ? memset(p, 0, n) : NULL;
}

void *krealloc(void *p, size_t n)
{
	void *q = fails() ? NULL : realloc(p, n ? n : 1);

	live += q && !p;
	return q;
}

void kfree(void *p)
{
	live -= p != NULL;
	free(p);
}

char *kstrdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = kmalloc(n);

	return p ? memcpy(p, s, n) : NULL;
}

/* Each frame has its count in front of it, in a page of its own. */
void *page_alloc_run(size_t n)
{
	char *p = fails() ? NULL : aligned_alloc(PAGE_BYTES, (n + 1) * PAGE_BYTES);

	if (!p)
		return NULL;
	*(unsigned *)(void *)p = 1;
	live++;
	return memset(p + PAGE_BYTES, 0xa5, n * PAGE_BYTES);
}

static unsigned *count_of(const void *p)
{
	return (unsigned *)((uintptr_t)p - PAGE_BYTES);
}

void page_free_run(void *p, size_t n)
{
	live--;
	free(count_of(p));
}

void *page_alloc_raw(void)
{
	return page_alloc_run(1);
}

void *page_alloc(void)
{
	void *p = page_alloc_run(1);

	return p ? memset(p, 0, PAGE_BYTES) : NULL;
}

void page_get(void *p)
{
	++*count_of(p);
}

void page_put(void *p)
{
	if (--*count_of(p) == 0)
		page_free_run(p, 1);
}

unsigned page_refs(const void *p)
{
	return *count_of(p);
}

long shim_live(void)
{
	return live;
}

/* ---- the program's memory */

static bool bad(uptr_t addr, size_t n)
{
	return n > 0 &&
		(addr < 4096 || addr + n < addr || (addr < shim_bad_end && addr + n > shim_bad));
}

int copy_from_user(void *dst, uptr_t src, size_t n)
{
	if (bad(src, n))
		return -EFAULT;
	if (n > 0)
		memcpy(dst, (const void *)src, n);
	return 0;
}

int copy_to_user(uptr_t dst, const void *src, size_t n)
{
	if (bad(dst, n))
		return -EFAULT;
	if (n > 0)
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

void *user_range(uptr_t addr, size_t n, int write)
{
	return bad(addr, n) ? NULL : (void *)addr;
}

long iovec_from_user(struct kiovec *fast, struct kiovec **iov, uptr_t uiov, int count)
{
	uint64_t total = 0;

	if (count < 0 || count > KIOV_MAX)
		return -EINVAL;
	*iov = count <= KIOV_FAST ? fast : kmalloc((size_t)count * sizeof(**iov));
	if (!*iov)
		return -ENOMEM;
	int rc = copy_from_user(*iov, uiov, (size_t)count * sizeof(**iov));
	for (int i = 0; rc == 0 && i < count; i++) {
		total += (*iov)[i].len;
		if ((*iov)[i].len > INT32_MAX || total > INT32_MAX)
			rc = -EINVAL;
	}
	if (rc < 0) {
		iovec_free(fast, *iov);
		return rc;
	}
	return (long)total;
}

void iovec_free(struct kiovec *fast, struct kiovec *iov)
{
	if (iov != fast)
		kfree(iov);
}

/* ---- time, threads: there is one thread, and a wait is a look at everything else */

static struct ktimer *timers; /* by deadline, linked by ->next */
static struct list pollers = LIST_INIT(pollers);
static bool woken;

uint64_t clock_mono_ns(void)
{
	return shim_now;
}

uint64_t clock_real_ns(void)
{
	return shim_now;
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *))
{
	*t = (struct ktimer){.fn = fn};
}

void ktimer_cancel(struct ktimer *t)
{
	for (struct ktimer **p = &timers; *p; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
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

uint64_t shim_next_timer(void)
{
	return timers ? timers->deadline : UINT64_MAX;
}

/* ---- inotify: nobody watches */
unsigned notify_watches;

void notify_tell(struct dentry *d, uint32_t mask) {}

void poller_add(struct poller *p)
{
	list_add_tail(&pollers, &p->link);
}

static bool poll_once(void)
{
	bool any = false;

	if (shim_device)
		shim_device();
	list_for_each (p, &pollers, struct poller, link) {
		if (p->pending()) {
			p->run();
			any = true;
		}
	}
	return any;
}

/* As before a sleep: there may be something that waits for it. */
static bool arm_and_poll(void)
{
	list_for_each (p, &pollers, struct poller, link)
		if (p->arm)
			p->arm();
	return poll_once();
}

void shim_settle(void)
{
	for (unsigned i = 0; poll_once() || arm_and_poll(); i++)
		if (i > 1000000)
			panic("it does not settle");
}

static bool fire_timer(uint64_t until)
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

void shim_run(uint64_t ns)
{
	uint64_t until = shim_now + ns;

	do
		shim_settle();
	while (fire_timer(until));
	shim_now = until;
}

int waitq_wait(struct waitq *q, uint64_t deadline)
{
	struct list me;

	if (shim_signal)
		return -EINTR;
	list_add_tail(&q->waiters, &me);
	woken = false;
	for (;;) {
		bool worked = poll_once();
		if (woken || list_empty(&me))
			break;
		if (worked)
			continue;
		if (arm_and_poll() || woken)
			continue;
		if (fire_timer(deadline))
			continue;
		list_del(&me);
		if (deadline != TIME_FOREVER) {
			shim_now = deadline;
			return -ETIMEDOUT;
		}
		shim_deadlock = true;
		return -EINTR;
	}
	list_del(&me);
	return 0;
}

int waitq_wait_uninterruptible(struct waitq *q, uint64_t deadline)
{
	return waitq_wait(q, deadline);
}

unsigned waitq_wake(struct waitq *q, unsigned n)
{
	unsigned done = 0;

	while (done < n && list_pop(&q->waiters))
		done++;
	woken |= done > 0;
	return done;
}

void signal_thread_sync(int signo)
{
	shim_sigpipes += signo == 13;
}

/* ---- platform */

bool shim_wait_serves;

uint32_t mmio_read32(uint64_t gpa)
{
	return 0;
}

void mmio_write32(uint64_t gpa, uint32_t value)
{
	shim_notifies++;
	if (shim_device)
		shim_device();
}

bool platform_wait_serves(void)
{
	return shim_wait_serves;
}

void platform_wait(uint64_t deadline)
{
	if (shim_device)
		shim_device();
	if (deadline != TIME_FOREVER && deadline > shim_now)
		shim_now = deadline;
}

void platform_milestone(enum uig_milestone ms, uint16_t port) {}
void event_step(enum uig_step step) {}

void platform_debug_putc(char c)
{
	size_t n = strlen(shim_console);

	if (n + 1 < sizeof(shim_console))
		shim_console[n] = c;
}

/* ---- klib */

void random_bytes(void *dst, size_t n)
{
	static uint64_t x = 0x2545f4914f6cdd1dull;
	unsigned char *p = dst;

	for (; n > 0; n--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		*p++ = (unsigned char)x;
	}
}

void kprintf(const char *fmt, ...)
{
	size_t n = strlen(shim_console);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shim_console + n, sizeof(shim_console) - n, fmt, ap);
	va_end(ap);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcpy(char *dst, const char *src, size_t size)
{
	return (size_t)snprintf(dst, size, "%s", src);
}

/* ---- descriptors: a small table; the file system is not here */

static struct file *fds[2048];

struct file *fd_file(int fd)
{
	return fd >= 0 && fd < 2048 ? fds[fd] : NULL;
}

struct file *fd_file_get(int fd)
{
	struct file *f = fd_file(fd);

	return f ? file_get(f) : NULL;
}

bool fd_room(void)
{
	return true;
}

int fd_install(struct file *f, bool cloexec)
{
	for (int i = 3; i < 2048; i++) {
		if (!fds[i]) {
			fds[i] = f;
			return i;
		}
	}
	return -EMFILE;
}

int fd_close(int fd)
{
	struct file *f = fd_file(fd);

	if (!f)
		return -EBADF;
	fds[fd] = NULL;
	file_put(f);
	return 0;
}

void epoll_forget(struct file *f) {}

void flock_release(struct file *f) {}
void ofd_release(struct file *f) {}

void dentry_put(struct dentry *d) {}

long dentry_path(struct dentry *d, char *buf, size_t size, bool *deleted)
{
	return -ENOENT;
}

/* One name is enough. */
static char bound_path[128];
static void *bound_owner;

int vfs_bind_socket(const char *path, void *owner, struct inode **inode)
{
	if (strcmp(path, bound_path) == 0)
		return -EADDRINUSE;
	strlcpy(bound_path, path, sizeof(bound_path));
	bound_owner = owner;
	*inode = (struct inode *)(void *)bound_path;
	return 0;
}

void vfs_unbind_socket(struct inode *inode)
{
	bound_owner = NULL;
}

int vfs_find_socket(const char *path, void **owner)
{
	if (strcmp(path, bound_path) != 0)
		return -ENOENT;
	*owner = bound_owner;
	return bound_owner ? 0 : -ECONNREFUSED;
}

/* ---- calls */

long shim_call(long (*fn)(const uint64_t a[6]), uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	uint64_t a4, uint64_t a5)
{
	uint64_t a[6] = {a0, a1, a2, a3, a4, a5};

	return fn(a);
}

static long transfer(int fd, uptr_t buf, size_t n, bool write)
{
	struct kiovec iov = {buf, n};
	struct file *f = fd_file_get(fd);
	struct iter it;

	if (!f)
		return -EBADF;
	iter_user(&it, &iov, 1, n);
	long rc = (write ? f->ops->write : f->ops->read)(f, &it, NULL, (f->flags & 04000) != 0);
	file_put(f);
	return rc;
}

long shim_read(int fd, void *buf, size_t n)
{
	return transfer(fd, (uptr_t)buf, n, false);
}

long shim_write(int fd, const void *buf, size_t n)
{
	return transfer(fd, (uptr_t)buf, n, true);
}

uint32_t shim_poll(int fd)
{
	return file_poll(fd_file(fd));
}

int shim_set_nonblock(int fd)
{
	fd_file(fd)->flags |= 04000;
	return fd;
}
