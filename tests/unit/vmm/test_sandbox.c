/* SPDX-License-Identifier: Apache-2.0 */
/* From inside the sandbox, a child for each try: what is on a role's list works, a path is refused, anything else ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/err.h"
#include "vmm/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* No instance of a manager that runs beside has it: what forks here would count as theirs. */
#define ID 800000007u

static char folder[] = "/tmp/uig-sandbox-XXXXXX", root[64], file[64];
static int dir_fd, file_fd;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(root, sizeof(root), "%s/root", folder);
	snprintf(file, sizeof(file), "%s/file", folder);
	chmod(folder, 0755);
	mkdir(root, 0555);
	dir_fd = open(folder, O_PATH | O_DIRECTORY);
	file_fd = open(file, O_RDWR | O_CREAT, 0644);
	return dir_fd < 0 || file_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file);
	rmdir(root);
	return rmdir(folder);
}

/* Each try gives 0 when it worked, or errno. */
static int failed(long r)
{
	return r < 0 ? errno : 0;
}

static int try_write(void)
{
	return failed(write(file_fd, "x", 1));
}

static int try_memory(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? errno : failed(munmap(at, 4096));
}

static int try_pwritev(void)
{
	static char x[] = "x";
	struct iovec v = {.iov_base = x, .iov_len = 1};

	return failed(pwritev(file_fd, &v, 1, 0));
}

static int try_path(void)
{
	return failed(open("/etc/passwd", O_RDONLY));
}

static int try_beneath(void)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};

	return failed(syscall(SYS_openat2, dir_fd, "file", &how, sizeof(how)));
}

static int try_root(void)
{
	return failed(openat(AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static int try_others_file(void)
{
	return failed(openat(dir_fd, "file", O_RDWR)); /* root's, 0644 */
}

static int try_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			MAP_FAILED
		? errno
		: 0;
}

static int try_socket(void)
{
	return failed(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_exec(void)
{
	char *const none[] = {NULL};

	return failed(execve("/bin/true", none, none));
}

static int try_fork(void)
{
	return failed(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

/* As the device loop does for a snapshot. */
static int try_libc_fork(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? errno : 7);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : EPROTO;
}

static int try_many_forks(void)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0); /* nobody waits for it: it stays in the count */
		if (pid < 0)
			return errno;
	}
	return 0;
}

static int try_prctl(void)
{
	return failed(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int try_ptrace(void)
{
	return failed(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int try_kill(void)
{
	return failed(kill(getppid(), 0));
}

static int try_setuid(void)
{
	return failed(syscall(SYS_setuid, 0));
}

static int try_ioctl(void)
{
	return failed(ioctl(file_fd, SIOCGIFCONF, NULL));
}

static int try_mount(void)
{
	return failed(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
}

static int try_old_kind(void)
{
	return failed(syscall(SYS_getpid | 0x40000000)); /* x32 */
}

/* The wait status of a child that enters and tries. */
static int in_child(enum sandbox_role role, int (*attempt)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct err err = {0};
		int r = sandbox_prepare(ID, ID, root, &err);

		if (r == 0)
			r = sandbox_enter(role);
		_exit(r < 0 ? 200 : attempt());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect(enum sandbox_role role, const char *what, int (*attempt)(void), int error)
{
	int status = in_child(role, attempt);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != error)
		fail_msg("role %d, %s: status %#x, %d was expected", role, what, status, error);
}

static void expect_end(enum sandbox_role role, const char *what, int (*attempt)(void))
{
	int status = in_child(role, attempt);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("role %d, %s: status %#x, the end by SIGSYS was expected", role, what,
			status);
}

static void test_what_every_role_may(void **state)
{
	(void)state;
	for (int role = 0; role < SANDBOX_ROLES; role++) {
		expect((enum sandbox_role)role, "write", try_write, 0);
		expect((enum sandbox_role)role, "memory", try_memory, 0);
	}
}

static void test_what_no_role_may(void **state)
{
	static const struct {
		const char *name;
		int (*attempt)(void);
	} tries[] = {{"executable memory", try_exec_memory}, {"socket", try_socket},
		{"execve", try_exec}, {"fork", try_fork}, {"ptrace", try_ptrace},
		{"kill", try_kill}, {"setuid", try_setuid}, {"ioctl", try_ioctl},
		{"mount", try_mount}, {"x32", try_old_kind}, {"prctl", try_prctl}};

	(void)state;
	for (int role = 0; role < SANDBOX_ROLES; role++) {
		for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
			expect_end((enum sandbox_role)role, tries[i].name, tries[i].attempt);
	}
}

static void test_fork(void **state)
{
	(void)state;
	expect(SANDBOX_LOOP, "fork", try_libc_fork, 0);
	expect(SANDBOX_LOOP, "many forks", try_many_forks, EAGAIN);
	expect_end(SANDBOX_VCPU, "fork", try_libc_fork);
	expect_end(SANDBOX_FOLDER, "fork", try_libc_fork);
}

static void test_paths(void **state)
{
	(void)state;
	expect(SANDBOX_LOOP, "open", try_path, EACCES);
	expect(SANDBOX_VCPU, "open", try_path, EACCES);
	expect(SANDBOX_DISK, "openat2", try_beneath, EACCES);
	expect(SANDBOX_DISK, "pwritev", try_pwritev, 0);
	expect_end(SANDBOX_VCPU, "pwritev", try_pwritev);
	expect(SANDBOX_FOLDER, "openat2 beneath", try_beneath, 0);
	expect(SANDBOX_FOLDER, "openat of a path", try_root, ENOENT);
	expect(SANDBOX_FOLDER, "a file of root", try_others_file, EACCES);
}

static int to_socket(const char *path, bool abstract)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path + abstract, sizeof(a.sun_path) - abstract, "%s", path);
	return fd < 0 ? errno : failed(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

static int listen_at(const char *path, bool abstract)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path + abstract, sizeof(a.sun_path) - abstract, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* The thread that connects: it has a folder for its root. */
static int vsock_child(const char *path, bool abstract)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct err err = {0};
		int r = sandbox_prepare(ID, ID, root, &err);

		if (r == 0)
			r = sandbox_enter_in(SANDBOX_VSOCK, 0, 0, dir_fd);
		_exit(r < 0 ? 200 : to_socket(path, abstract));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_sockets(void **state)
{
	char path[96], name[64];
	int inside, outside, hidden;

	(void)state;
	snprintf(path, sizeof(path), "%s/in", folder);
	inside = listen_at(path, false);
	snprintf(name, sizeof(name), "/tmp/uig-out-%d", (int)getpid());
	outside = listen_at(name, false);
	hidden = listen_at(name, true);
	assert_int_equal(vsock_child("/in", false), 0);
	assert_int_equal(vsock_child("in", false), 0);
	assert_int_equal(vsock_child(path, false), ENOENT);
	assert_int_equal(vsock_child(name, false), ENOENT);
	assert_int_equal(vsock_child("/../in", false), 0); /* the root is its own parent */
	assert_int_equal(vsock_child(name, true), ECONNREFUSED);
	unlink(path);
	unlink(name);
	close(inside);
	close(outside);
	close(hidden);
}

static void refused(uid_t uid, const char *path)
{
	struct err err = {0};

	assert_true(sandbox_prepare(uid, uid, path, &err) < 0);
	assert_true(err.msg[0]);
}

static void test_bad_folders(void **state)
{
	(void)state;
	refused(ID, "/nonexistent");
	refused(ID, folder); /* not empty */
	refused(ID, file);
	refused(0, root);
	chmod(root, 0777);
	refused(ID, root);
	chmod(root, 0555);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_every_role_may),
		cmocka_unit_test(test_what_no_role_may),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_bad_folders),
	};

#ifdef __SANITIZE_ADDRESS__
	printf("skipped: AddressSanitizer makes system calls of its own\n");
	return 77;
#endif
	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
