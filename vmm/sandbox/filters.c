/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filters OUTPUT: a tool of the build. Has libseccomp translate the lists below into the programs that sandbox.c installs, so
 * that no VM spends time on it. x86-64 only, other architectures' calls end the process.
 */
#include "vmm/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CODE_MAX 4096 /* instructions; BPF_MAXINSNS */

#define SYS(name) SCMP_SYS(name)
#define END       (-1000000)

/* What any thread needs: memory, locks, time, its end. */
static const int common[] = {SYS(brk), SYS(mmap), SYS(munmap), SYS(mremap), SYS(madvise),
	SYS(mprotect), SYS(futex), SYS(clock_gettime), SYS(clock_nanosleep), SYS(gettimeofday),
	SYS(getpid), SYS(gettid), SYS(getrandom), SYS(sched_yield), SYS(rt_sigprocmask),
	SYS(rt_sigreturn), SYS(restart_syscall), SYS(tgkill), SYS(read), SYS(write), SYS(close),
	SYS(exit), SYS(exit_group), SYS(rseq), SYS(set_robust_list), END};

/* Rings: tap, console, sockets that are there, and requests to disks and folders that do not wait. */
static const int devices[] = {SYS(fstat), SYS(newfstatat), SYS(statx), SYS(readv), SYS(writev),
	SYS(preadv2), SYS(pwritev2), SYS(poll), SYS(ppoll), SYS(epoll_wait), SYS(epoll_pwait),
	SYS(epoll_ctl), SYS(timerfd_settime), SYS(accept4), SYS(shutdown), SYS(dup), END};

/* Unix sockets beneath the thread's root; of names without a path its network has none (sandbox.c). */
static const int sockets[] = {SYS(socket), SYS(connect), SYS(setsockopt), SYS(fcntl), END};

static const int loop[] = {SYS(accept4), SYS(accept), SYS(recvfrom), SYS(recvmsg), SYS(sendto),
	SYS(sendmsg), SYS(shutdown), SYS(getsockopt), SYS(setsockopt), SYS(getsockname),
	SYS(getpeername), SYS(fcntl), SYS(fstat), SYS(newfstatat), SYS(lseek), SYS(pwrite64),
	SYS(ftruncate), SYS(getrusage), SYS(mincore), SYS(pread64), SYS(memfd_create), SYS(pipe2),
	SYS(clone), SYS(wait4), SYS(prctl), END};

static const int disk[] = {SYS(preadv), SYS(pwritev), SYS(preadv2), SYS(pwritev2), SYS(pread64),
	SYS(pwrite64), SYS(fsync), SYS(fdatasync), SYS(fallocate), END};

static const int folder[] = {SYS(openat2), SYS(openat), SYS(fstat), SYS(newfstatat), SYS(statx),
	SYS(fstatfs), SYS(statfs), SYS(getdents64), SYS(lseek), SYS(readlinkat), SYS(mkdirat),
	SYS(mknodat), SYS(getegid), SYS(symlinkat), SYS(linkat), SYS(unlinkat), SYS(renameat),
	SYS(renameat2), SYS(ftruncate), SYS(truncate), SYS(utimensat), SYS(fchmod), SYS(fchmodat),
	SYS(fchown), SYS(fchownat), SYS(sync_file_range), SYS(flock), SYS(fcntl), SYS(dup),
	SYS(fgetxattr), SYS(flistxattr), SYS(fsetxattr), SYS(fremovexattr), SYS(readv), SYS(writev),
	SYS(faccessat), SYS(faccessat2), SYS(getuid), SYS(geteuid), END};

/* Paths: nothing can be found in the empty root anyway; a library that tries is no reason to end. */
static const int paths[] = {SYS(open), SYS(openat), SYS(openat2), SYS(access), SYS(faccessat),
	SYS(faccessat2), SYS(stat), SYS(lstat), SYS(newfstatat), SYS(readlink), SYS(readlinkat),
	END};

static const unsigned long vcpu_requests[] = {KVM_RUN, KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS,
	KVM_SET_SREGS, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, KVM_IRQ_LINE, KVM_IOEVENTFD,
	KVM_IRQFD, KVM_SET_USER_MEMORY_REGION, TUNSETOFFLOAD, 0};
static const unsigned long loop_requests[] = {KVM_IOEVENTFD, KVM_IRQFD, KVM_IRQ_LINE, KVM_NMI,
	TUNSETOFFLOAD, KVM_GET_SUPPORTED_CPUID, KVM_GET_REGS, KVM_GET_SREGS, KVM_GET_VCPU_EVENTS,
	KVM_GET_XSAVE, KVM_GET_XCRS, KVM_GET_MSRS, 0};
static const unsigned long no_requests[] = {0};

static const struct {
	const char *name;
	const int *lists[4]; /* NULL behind the last */
	const unsigned long *requests;
} roles[SANDBOX_ROLES] = {
	[SANDBOX_LOOP] = {"loop", {common, devices, loop}, loop_requests},
	[SANDBOX_VCPU] = {"vcpu", {common, devices}, vcpu_requests},
	[SANDBOX_DISK] = {"disk", {common, disk}, no_requests},
	[SANDBOX_FOLDER] = {"folder", {common, disk, folder}, no_requests},
	[SANDBOX_VSOCK] = {"vsock", {common, sockets}, no_requests},
};

static void die(const char *what, int error)
{
	fprintf(stderr, "filters: %s: %s\n", what, strerror(error));
	exit(1);
}

static bool listed(enum sandbox_role role, int call)
{
	for (int l = 0; roles[role].lists[l]; l++) {
		for (const int *c = roles[role].lists[l]; *c != END; c++) {
			if (*c == call)
				return true;
		}
	}
	return false;
}

/* What the first argument has to be. */
static const struct {
	int call;
	uint64_t first;
} firsts[] = {
	{SYS(socket), AF_UNIX},
	{SYS(prctl), PR_SET_PDEATHSIG},
	/* as fork(3) does it: no thread, no namespace */
	{SYS(clone), CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD},
};

static int allow_first(scmp_filter_ctx ctx, int call)
{
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		if (firsts[i].call == call)
			return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				SCMP_A0(SCMP_CMP_EQ, firsts[i].first));
	}
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0);
}

static void allow(scmp_filter_ctx ctx, int call)
{
	/* Memory of the monitor is never executable, and descriptors of memory are never made so. */
	int r = call == SYS(mmap) || call == SYS(mprotect)
		? seccomp_rule_add(
			  ctx, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))
		: allow_first(ctx, call);

	if (r < 0 && r != -EEXIST)
		die("a rule", -r);
}

static void add_rules(scmp_filter_ctx ctx, enum sandbox_role role)
{
	int r = 0;

	for (int l = 0; roles[role].lists[l]; l++) {
		for (const int *c = roles[role].lists[l]; *c != END; c++)
			allow(ctx, *c);
	}
	for (const unsigned long *q = roles[role].requests; *q && r == 0; q++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, *q));
	for (const int *c = paths; *c != END && r == 0; c++) {
		if (!listed(role, *c))
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), *c, 0);
	}
	if (r < 0)
		die("a rule", -r);
}

static unsigned export(enum sandbox_role role, struct sock_filter *code)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = memfd_create("filter", MFD_CLOEXEC), r;
	ssize_t n;

	if (!ctx || fd < 0)
		die("libseccomp", errno);
	add_rules(ctx, role);
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		die("export", -r);
	n = pread(fd, code, CODE_MAX * sizeof(*code), 0);
	if (n <= 0 || n % (ssize_t)sizeof(*code))
		die("read", errno);
	close(fd);
	seccomp_release(ctx);
	return (unsigned)n / (unsigned)sizeof(*code);
}

int main(int argc, char **argv)
{
	static struct sock_filter code[CODE_MAX];
	unsigned count[SANDBOX_ROLES];
	FILE *out = argc == 2 ? fopen(argv[1], "we") : NULL;

	if (!out)
		die("usage: filters OUTPUT", errno);
	fprintf(out, "/* Made by vmm/sandbox/filters.c. */\n#include <linux/filter.h>\n\n");
	for (unsigned r = 0; r < SANDBOX_ROLES; r++) {
		count[r] = export((enum sandbox_role)r, code);
		fprintf(out, "static const struct sock_filter filter_%s[] = {\n", roles[r].name);
		for (unsigned i = 0; i < count[r]; i++)
			fprintf(out, "\t{0x%x, %u, %u, 0x%xu},\n", code[i].code, code[i].jt,
				code[i].jf, code[i].k);
		fprintf(out, "};\n");
	}
	fprintf(out,
		"static const struct sandbox_filter {\n\tconst struct sock_filter *code;\n"
		"\tunsigned short count;\n} sandbox_filters[] = {\n");
	for (unsigned r = 0; r < SANDBOX_ROLES; r++)
		fprintf(out, "\t{filter_%s, %u},\n", roles[r].name, count[r]);
	fprintf(out, "};\n");
	return fclose(out) == 0 ? 0 : 1;
}
