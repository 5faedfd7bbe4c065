/* SPDX-License-Identifier: Apache-2.0 */
/* GET /vm/{id}/stats: what the kernel says of the VM's process (proc(5): smaps_rollup in KiB, stat in clock ticks). */
#include "daemon/api/api.h"
#include "daemon/instance.h"
#include "lib/loop.h"

#include <fcntl.h>
#include <string.h>

#define PROC_BYTES 4096
#define KIB_BYTES  1024

struct figures {
	long long rss, pss, private_clean, private_dirty; /* KiB */
	unsigned long utime, stime;                       /* ticks */
};

static bool read_proc(pid_t pid, const char *file, char text[PROC_BYTES])
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, PROC_BYTES - 1);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static long long kib_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoll(line + strlen(name), NULL, 10) : 0;
}

static bool read_figures(pid_t pid, struct figures *f)
{
	char text[PROC_BYTES];
	const char *p;

	if (!read_proc(pid, "smaps_rollup", text))
		return false;
	f->rss = kib_of(text, "\nRss:");
	f->pss = kib_of(text, "\nPss:");
	f->private_clean = kib_of(text, "\nPrivate_Clean:");
	f->private_dirty = kib_of(text, "\nPrivate_Dirty:");
	if (!read_proc(pid, "stat", text))
		return false;
	p = strrchr(text, ')'); /* fields 14 and 15 are the times */
	return p &&
		sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &f->utime,
			&f->stime) == 2;
}

static json_int_t ticks_ms(unsigned long ticks)
{
	return (json_int_t)(ticks * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

void vm_stats(struct httpd_req *req)
{
	struct instance *i = api_instance(req);
	struct figures f = {0};

	if (!i)
		return;
	if (!i->shell || !i->shell->pid || !read_figures(i->shell->pid, &f)) {
		answer_problem(req, 409, "conflict", "VM %s is %s and has no process", i->name,
			instance_state_names[i->state]);
		return;
	}
	answer_json(req, 200,
		json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "id", i->id, "pid",
			(int)i->shell->pid, "rss_bytes", (json_int_t)f.rss * KIB_BYTES, "pss_bytes",
			(json_int_t)f.pss * KIB_BYTES, "private_bytes",
			(json_int_t)(f.private_clean + f.private_dirty) * KIB_BYTES, "cpu_user_ms",
			ticks_ms(f.utime), "cpu_system_ms", ticks_ms(f.stime), "uptime_ms",
			(json_int_t)(i->start_ns ? (loop_now_ns() - i->start_ns) / NS_PER_MS : 0)));
}
