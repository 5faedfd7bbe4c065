/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host mode: the image's program as a process of the host, without a VM. It has a network namespace of its own with the
 * lease's address on eth0, so that it finds the same network as in a VM; no other isolation. It runs as an
 * ordinary user without capabilities (--process-user), with the instance's folder to write to.
 */
#include "daemon/core.h"
#include "daemon/monitor/monitor.h"
#include "daemon/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ENV_MAX 320

struct process {
	int netns;
};

static int probe(const struct core *core, struct err *err)
{
	(void)core;
	(void)err;
	return 0;
}

/* So that a program without capabilities can serve port 80: of its own namespace only. */
static void allow_low_ports(const struct core *core, int netns)
{
	struct netns ns;
	int fd;

	if (netns_open(NULL, &ns, NULL) < 0)
		return;
	(void)core;
	ns.fd = netns;
	if (netns_enter(&ns) == 0) {
		fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			if (write(fd, "0", 1) < 0)
				errno = 0; /* then it needs a port above 1023 */
			close(fd);
		}
		netns_leave(&ns);
	}
	ns.fd = -1;
	netns_close(&ns);
}

static int prepare(struct shell *shell, struct err *err)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return err_sys(err, ENOMEM, "process");
	shell->priv = p;
	p->netns = lease_veth(shell->core->network, &shell->lease, err);
	if (p->netns < 0)
		return p->netns;
	allow_low_ports(shell->core, p->netns);
	shell_prepared(shell);
	return 0;
}

struct environment {
	char *entry[ENV_MAX + 4];
	char home[4096], hostname[96];
};

static void fill_environment(struct environment *e, const struct start_spec *spec)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	size_t n = 0;

	snprintf(e->home, sizeof(e->home), "HOME=%s", spec->work);
	snprintf(e->hostname, sizeof(e->hostname), "HOSTNAME=%s", spec->hostname);
	e->entry[n++] = path;
	e->entry[n++] = e->home;
	e->entry[n++] = e->hostname;
	for (char *const *v = spec->env; v && *v && n < ENV_MAX; v++)
		e->entry[n++] = *v;
	e->entry[n] = NULL;
}

/* The program's words: those given, with the host's path in the place of the first. */
static int fill_argv(char **argv, size_t max, const struct start_spec *spec)
{
	size_t n = 0;

	argv[n++] = (char *)(uintptr_t)spec->program; /* execve() does not write to it */
	for (char *const *a = spec->argv ? spec->argv + 1 : NULL; a && *a; a++) {
		if (n == max - 1)
			return -E2BIG;
		argv[n++] = *a;
	}
	argv[n] = NULL;
	return 0;
}

static int not_runnable(
	struct shell *shell, const struct start_spec *spec, int code, struct err *err)
{
	shell->exit.end = SHELL_END_NOEXEC;
	shell->exit.code = code;
	return err_sys(err, code, "cannot run %s on the host", spec->program);
}

static int start(struct shell *shell, const struct start_spec *spec, struct err *err)
{
	const struct config *config = &shell->core->config;
	struct process *p = shell->priv;
	_cleanup_close_ int program = -1;
	struct environment env;
	char *argv[300];
	struct spawn spawn = {.path = spec->program,
		.argv = argv,
		.envp = env.entry,
		.netns = p->netns,
		.cwd = spec->root ? spec->root : spec->work,
		.drop = true,
		.uid = config->process_uid,
		.gid = config->process_gid};
	int r;

	if (!spec->program)
		return err_set(err, ENOEXEC,
			"the image names no program for the process monitor (process.program)");
	r = fill_argv(argv, ARRAY_SIZE(argv), spec);
	if (r < 0)
		return err_set(err, E2BIG, "too many arguments");
	fill_environment(&env, spec);
	program = open(spec->program, O_PATH | O_CLOEXEC);
	if (program < 0)
		return not_runnable(shell, spec, errno, err);
	spawn.program = program;
	if (chown(spec->work, config->process_uid, config->process_gid) < 0)
		return err_sys(err, errno, "cannot hand over %s", spec->work);
	r = shell_spawn(shell, &spawn, err);
	if (r < 0)
		return not_runnable(shell, spec, -r, err);
	close(p->netns); /* from now on it lives as long as the process */
	p->netns = -1;
	shell_started(shell, NULL);
	return 0;
}

static int adopt(struct shell *shell, struct err *err)
{
	struct process *p = malloc(sizeof(*p));

	if (!p)
		return err_sys(err, ENOMEM, "process");
	p->netns = -1; /* it lives as long as the process */
	shell->priv = p;
	return 0;
}

static void stop(struct shell *shell)
{
	shell_signal(shell, SIGTERM);
}

static void ended(struct shell *shell, int how, int status)
{
	shell_exit_from_process(shell, "the program", how, status);
}

static void release(struct shell *shell)
{
	struct process *p = shell->priv;

	if (p->netns >= 0)
		close(p->netns);
	free(p);
	shell->priv = NULL;
}

const struct monitor_ops monitor_process = {
	.name = "process",
	.vcpus_max = 32,
	.probe = probe,
	.prepare = prepare,
	.start = start,
	.adopt = adopt,
	.stop = stop,
	.ended = ended,
	.release = release,
};
