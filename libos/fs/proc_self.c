/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self: what the process and its threads look like, in the formats of proc(5). */
#include "libos/exec/args.h"
#include "libos/fs/notify.h"
#include "libos/fs/procfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sched/thread_impl.h"
#include "libos/sys/cred.h"
#include "libos/sys/limits.h"

#define TICK_NS 10000000ull /* a clock tick of /proc: 1/100 s */

int proc_self_link(struct text *t, uint64_t n)
{
	text_printf(t, "%d", PROC_PID);
	return 0;
}

int proc_thread_self_link(struct text *t, uint64_t n)
{
	text_printf(t, "%d/task/%d", PROC_PID, thread_tid(thread_current()));
	return 0;
}

/* ---- links to objects */
static int dentry_text(struct dentry *d, struct text *t)
{
	char *at = text_room(t, PATH_MAX);
	bool deleted;
	long n = at ? dentry_path(d, at, PATH_MAX, &deleted) : -ENOMEM;

	if (n < 0)
		return (int)n;
	t->len += (size_t)n;
	return 0;
}

int proc_exe_jump(uint64_t n, struct dentry **d)
{
	return process.exe[0] ? walk_kernel(process.exe, WALK_FOLLOW, d) : -ENOENT;
}

int proc_exe_link(struct text *t, uint64_t n)
{
	struct dentry *d;
	int rc = proc_exe_jump(n, &d);

	if (rc < 0)
		return rc;
	rc = dentry_text(d, t);
	dentry_put(d);
	return rc;
}

int proc_cwd_jump(uint64_t n, struct dentry **d)
{
	*d = dentry_get(vfs_cwd);
	return 0;
}

int proc_cwd_link(struct text *t, uint64_t n)
{
	return dentry_text(vfs_cwd, t);
}

int proc_root_jump(uint64_t n, struct dentry **d)
{
	*d = dentry_get(vfs_root);
	return 0;
}

int proc_fd_link(struct text *t, uint64_t fd)
{
	struct file *f = fd_file_any((int)fd);
	char *at = text_room(t, PATH_MAX);

	if (!f || !at)
		return f ? -ENOMEM : -ENOENT;
	t->len += file_path(f, at, PATH_MAX);
	return 0;
}

int proc_fd_jump(uint64_t fd, struct dentry **d)
{
	struct file *f = fd_file_any((int)fd);

	if (!f || !f->dentry)
		return f ? -ENXIO : -ENOENT;
	*d = dentry_get(f->dentry);
	return 0;
}

static void watch_line(void *text, int wd, const struct inode *inode, uint32_t mask)
{
	text_printf(text, "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:0 \n", wd,
		(unsigned long)inode->ino,
		(unsigned long)(dev_major(inode->sb->dev) << 20 | dev_minor(inode->sb->dev)), mask);
}

int proc_fdinfo(struct text *t, uint64_t fd)
{
	struct file *f = fd_file_any((int)fd);

	if (!f)
		return -ENOENT;
	text_printf(t, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t1\nino:\t%lu\n", (unsigned long)f->pos,
		f->flags, f->inode ? (unsigned long)f->inode->ino : 0ul);
	notify_each_watch(f, watch_line, t);
	return 0;
}

/* ---- memory */
int proc_maps(struct text *t, uint64_t n)
{
	for (size_t size = 8192; size <= (8ul << 20); size *= 2) {
		char *at = text_room(t, size);
		size_t got = at ? vm_print_maps(at, size) : 0;

		if (!at)
			return -ENOMEM;
		if (got + 512 <
			size) { /* a line that did not fit would have left less room than this */
			t->len += got;
			break;
		}
	}
	return 0;
}

static void smaps_numbers(struct text *t, uint64_t size, uint64_t rss, uint64_t locked)
{
	text_printf(t,
		"Size:           %8lu kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 "
		"kB\n",
		(unsigned long)(size >> 10));
	text_printf(t,
		"Rss:            %8lu kB\nPss:            %8lu kB\nPrivate_Dirty:  %8lu kB\nSwap:  "
		"                0 kB\nLocked:         %8lu kB\n",
		(unsigned long)(rss >> 10), (unsigned long)(rss >> 10), (unsigned long)(rss >> 10),
		(unsigned long)(locked >> 10));
}

/* Line by line from maps. */
int proc_smaps(struct text *t, uint64_t n)
{
	struct text maps = {0};
	int rc = proc_maps(&maps, n);

	for (size_t at = 0; !rc && at < maps.len;) {
		const char *line = maps.buf + at, *end = memchr(line, '\n', maps.len - at);
		uint64_t from = 0, to = 0, *v = &from;

		if (!end)
			break;
		for (const char *p = line; p < end && *p != ' '; p++) {
			if (*p == '-')
				v = &to;
			else
				*v = *v << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
		}
		text_put(t, line, (size_t)(end - line) + 1);
		smaps_numbers(t, to - from, vm_resident(from, to), vm_locked(from, to));
		at += (size_t)(end - line) + 1;
	}
	kfree(maps.buf);
	return rc;
}

int proc_smaps_rollup(struct text *t, uint64_t n)
{
	uint64_t mapped, resident;

	vm_usage(&mapped, &resident);
	text_printf(t,
		"00000000-7ffffffff000 ---p 00000000 00:00 0                          [rollup]\n");
	smaps_numbers(t, mapped, resident, vm_locked(0, UIG_USER_TOP));
	return 0;
}

int proc_statm(struct text *t, uint64_t n)
{
	uint64_t mapped, resident;

	vm_usage(&mapped, &resident);
	text_printf(t, "%lu %lu 0 0 0 %lu 0\n", (unsigned long)(mapped / PAGE_BYTES),
		(unsigned long)(resident / PAGE_BYTES), (unsigned long)(mapped / PAGE_BYTES));
	return 0;
}

/* ---- stat and status */
static char state_of(const struct thread *t)
{
	return t == thread_current() || t->state == THREAD_RUNNABLE ? 'R' : 'S';
}

static int stat_text(struct text *t, const struct thread *th, uint64_t cpu_ns)
{
	uint64_t mapped, resident, ticks = cpu_ns / TICK_NS;

	if (!th)
		return -ESRCH;
	vm_usage(&mapped, &resident);
	/* pid comm state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt */
	text_printf(t, "%d (%s) %c 0 %d %d 0 -1 4194304 %lu 0 0 0 ", th->tid, th->comm,
		state_of(th), PROC_PID, PROC_PID, (unsigned long)process.minor_faults);
	/* utime stime cutime cstime priority nice threads itrealvalue starttime vsize rss rsslim */
	text_printf(t, "%lu 0 0 0 20 0 %u 0 %lu %lu %lu 18446744073709551615 ",
		(unsigned long)ticks, process.nthreads, (unsigned long)(process.start_ns / TICK_NS),
		(unsigned long)mapped, (unsigned long)(resident / PAGE_BYTES));
	/* startcode endcode startstack kstkesp kstkeip signal blocked sigignore sigcatch wchan nswap cnswap exit_signal
	 * processor rt_priority policy delayacct guest cguest start_data end_data start_brk arg_start arg_end env_start
	 * env_end exit_code */
	text_printf(t, "0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

static struct thread *main_thread(void)
{
	struct thread *t = thread_by_tid(PROC_PID);

	return t ? t : thread_current();
}

int proc_stat(struct text *t, uint64_t n)
{
	return stat_text(t, main_thread(), process_cpu_ns());
}

int proc_task_stat(struct text *t, uint64_t tid)
{
	struct thread *th = thread_by_tid((int)tid);

	return th ? stat_text(t, th, thread_cpu_ns(th)) : -ESRCH;
}

static void ids_text(struct text *t, const char *name, const struct ids *ids)
{
	text_printf(
		t, "%s:\t%u\t%u\t%u\t%u\n", name, ids->real, ids->effective, ids->saved, ids->fs);
}

static void caps_text(struct text *t)
{
	const struct caps *c = &cred.caps;

	text_printf(t,
		"CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%"
		"016lx\n",
		(unsigned long)c->inheritable, (unsigned long)c->permitted,
		(unsigned long)c->effective, (unsigned long)c->bounding, (unsigned long)c->ambient);
	text_printf(t, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", process.no_new_privs);
}

static int status_text(struct text *t, const struct thread *th)
{
	uint64_t mapped, resident;

	if (!th)
		return -ESRCH;
	vm_usage(&mapped, &resident);
	text_printf(t,
		"Name:\t%s\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:"
		"\t0\nTracerPid:\t0\n",
		th->comm, vfs_umask, state_of(th) == 'R' ? "R (running)" : "S (sleeping)", PROC_PID,
		th->tid);
	ids_text(t, "Uid", &cred.uid);
	ids_text(t, "Gid", &cred.gid);
	text_printf(t, "FDSize:\t%u\nGroups:\t", fd_table_size());
	for (unsigned i = 0; i < cred.ngroups; i++)
		text_printf(t, "%u ", cred.groups[i]);
	text_printf(t, "\n");
	text_printf(t,
		"VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmHWM:\t%8lu "
		"kB\nVmRSS:\t%8lu kB\n",
		(unsigned long)(mapped >> 10), (unsigned long)(mapped >> 10),
		(unsigned long)(vm_locked(0, UIG_USER_TOP) >> 10), (unsigned long)(resident >> 10),
		(unsigned long)(resident >> 10));
	text_printf(t,
		"VmData:\t%8lu kB\nVmStk:\t     132 kB\nVmSwap:\t       0 kB\nThreads:\t%u\n",
		(unsigned long)(mapped >> 10), process.nthreads);
	text_printf(t, "SigPnd:\t%016lx\nSigBlk:\t%016lx\n", (unsigned long)th->sig.pending.set,
		(unsigned long)th->sig.mask);
	caps_text(t);
	text_printf(t,
		"Cpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:"
		"\t0\nvoluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
	return 0;
}

int proc_status(struct text *t, uint64_t n)
{
	return status_text(t, main_thread());
}

int proc_task_status(struct text *t, uint64_t tid)
{
	return status_text(t, thread_by_tid((int)tid));
}

/* ---- names and arguments */
static void words(struct text *t, char *const *v, int n)
{
	for (int i = 0; i < n; i++)
		text_put(t, v[i], strlen(v[i]) + 1);
}

int proc_cmdline(struct text *t, uint64_t n)
{
	words(t, boot_args.argv, boot_args.argc);
	return 0;
}

int proc_environ(struct text *t, uint64_t n)
{
	words(t, boot_args.envp, boot_args.envc);
	return 0;
}

static int comm_text(struct text *t, const struct thread *th)
{
	if (!th)
		return -ESRCH;
	text_printf(t, "%s\n", th->comm);
	return 0;
}

int proc_comm(struct text *t, uint64_t n)
{
	return comm_text(t, main_thread());
}

int proc_task_comm(struct text *t, uint64_t tid)
{
	return comm_text(t, thread_by_tid((int)tid));
}

static int comm_set(struct thread *th, const char *buf, size_t len)
{
	if (!th)
		return -ESRCH;
	if (len && buf[len - 1] == '\n')
		len--;
	if (len >= sizeof(th->comm))
		len = sizeof(th->comm) - 1;
	memcpy(th->comm, buf, len);
	th->comm[len] = 0;
	return 0;
}

int proc_comm_write(const char *buf, size_t len, uint64_t n)
{
	return comm_set(main_thread(), buf, len);
}

int proc_task_comm_write(const char *buf, size_t len, uint64_t tid)
{
	return comm_set(thread_by_tid((int)tid), buf, len);
}

int64_t proc_next_tid(int64_t from)
{
	int64_t best = -1;

	list_for_each (t, &process.threads, struct thread, all) {
		if (t->tid >= from && (best < 0 || t->tid < best))
			best = t->tid;
	}
	return best;
}

/* ---- limits and mounts */
static void limit_value(struct text *t, uint64_t v)
{
	if (v == RLIM_INFINITY)
		text_printf(t, "%-21s", "unlimited");
	else
		text_printf(t, "%-21lu", (unsigned long)v);
}

int proc_limits(struct text *t, uint64_t n)
{
	static const char *const lines[RLIM_NLIMITS][2] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", ""},
		[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};

	text_printf(t, "%-26s%-21s%-21s%-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		text_printf(t, "%-26s", lines[i][0]);
		limit_value(t, rlimit_soft(i));
		limit_value(t, rlimit_hard(i));
		text_printf(t, lines[i][1][0] ? "%-10s\n" : "%s\n", lines[i][1]);
	}
	return 0;
}

struct mount_print {
	struct text *t;
	int id;
};

static void mountinfo_line(const char *path, struct super *sb, void *arg)
{
	struct mount_print *p = arg;
	const char *rw = sb->read_only ? "ro" : "rw";

	p->id++;
	text_printf(p->t, "%d %d %u:%u / %s %s,relatime - %s %s %s\n", p->id, p->id == 1 ? 0 : 1,
		dev_major(sb->dev), dev_minor(sb->dev), path, rw, sb->type, sb->type, rw);
}

int proc_mountinfo(struct text *t, uint64_t n)
{
	struct mount_print p = {.t = t};

	vfs_each_mount(mountinfo_line, &p);
	return 0;
}

static void mounts_line(const char *path, struct super *sb, void *arg)
{
	text_printf(arg, "%s %s %s %s,relatime 0 0\n", sb->type, path, sb->type,
		sb->read_only ? "ro" : "rw");
}

int proc_mounts(struct text *t, uint64_t n)
{
	vfs_each_mount(mounts_line, t);
	return 0;
}
