/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /vm/{id}/stats: what the kernel says of the VM's process (proc(5): smaps_rollup in KiB, stat in clock ticks). To a client that accepts
 * text/event-stream again and again, until the VM ends; one that reads too slowly misses some.
 */
#include "daemon/api/api.h"
#include "daemon/api/query.h"
#include "daemon/core.h"
#include "daemon/instance/instance.h"
#include "lib/buf.h"
#include "lib/loop.h"

#include <fcntl.h>
#include <string.h>

#define PROC_BYTES 4096
#define KIB_BYTES  1024

#define STREAM_TYPE         "text/event-stream"
#define STREAM_MAX_BYTES    (16 * KIB)
#define INTERVAL_DEFAULT_MS 1000
#define INTERVAL_MIN_MS     100
#define INTERVAL_MAX_MS     60000

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

/* NULL: it has no process. */
static json_t *stats_json(const struct instance *i)
{
	struct figures f = {0};

	if (!i->shell || !i->shell->pid || !read_figures(i->shell->pid, &f))
		return NULL;
	return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "id", i->id, "pid",
		(int)i->shell->pid, "rss_bytes", (json_int_t)f.rss * KIB_BYTES, "pss_bytes",
		(json_int_t)f.pss * KIB_BYTES, "private_bytes",
		(json_int_t)(f.private_clean + f.private_dirty) * KIB_BYTES, "cpu_user_ms",
		ticks_ms(f.utime), "cpu_system_ms", ticks_ms(f.stime), "uptime_ms",
		(json_int_t)(i->start_ns ? (loop_now_ns() - i->start_ns) / NS_PER_MS : 0));
}

/* --- again and again ---------------------------------------------------------------------------------------------- */
struct stats_stream {
	struct core *core;
	struct httpd_stream *stream;
	struct loop_timer *timer;
	int64_t interval_ns;
	uint64_t number, lost; /* lost: which a slow reader did not take */
	char id[ID_TEXT_BYTES];
};

/* Also when the client went away. */
static void stream_free(void *arg)
{
	struct stats_stream *s = arg;

	loop_timer_free(s->timer);
	free(s);
}

/* The VM is looked up anew each time: it may be gone. */
static void tick(void *arg)
{
	struct stats_stream *s = arg;
	struct instance *i = NULL;
	json_t *stats = instances_find(s->core->instances, s->id, &i) == 0 ? stats_json(i) : NULL;
	_cleanup_free_ char *text = stats ? json_dumps(stats, JSON_COMPACT) : NULL;
	_cleanup_buf_ struct buf event;

	buf_init(&event, 0);
	json_decref(stats);
	if (!text) {
		httpd_stream_end(s->stream);
		stream_free(s);
		return;
	}
	if (s->lost)
		buf_printf(&event, "event: gap\ndata: {\"lost\":%llu}\n\n",
			(unsigned long long)s->lost);
	if (buf_printf(&event, "id: %llu\ndata: %s\n\n", (unsigned long long)++s->number, text) ==
			0 &&
		httpd_stream_write(s->stream, event.data, event.len) == 0)
		s->lost = 0;
	else
		s->lost++;
	loop_timer_set(s->timer, s->interval_ns);
}

static void stream(struct httpd_req *req, const struct instance *i, long interval_ms)
{
	const char *last = httpd_header(req, "Last-Event-ID");
	struct stats_stream *s = calloc(1, sizeof(*s));

	if (!s || loop_timer_new(i->core->loop, tick, s, &s->timer) < 0) {
		free(s);
		answer_problem(req, 500, "internal", "there is no memory to follow with");
		return;
	}
	s->core = i->core;
	s->interval_ns = interval_ms * NS_PER_MS;
	s->number = last ? strtoull(last, NULL, 10) : 0; /* goes on counting */
	snprintf(s->id, sizeof(s->id), "%s", i->id);
	httpd_add_header(req, "Cache-Control", "no-store");
	s->stream =
		httpd_stream_open(req, 200, STREAM_TYPE, STREAM_MAX_BYTES, NULL, stream_free, s);
	if (s->stream)
		tick(s);
	else
		stream_free(s);
}

void vm_stats(struct httpd_req *req)
{
	const char *accept = httpd_header(req, "Accept");
	bool streams = accept && strstr(accept, STREAM_TYPE) && !httpd_is_head(req);
	struct instance *i = api_instance(req);
	long interval_ms = INTERVAL_DEFAULT_MS;
	json_t *stats;

	if (!i || !query_long(req, "interval_ms", INTERVAL_MIN_MS, INTERVAL_MAX_MS, &interval_ms))
		return;
	stats = stats_json(i);
	if (!stats)
		answer_problem(req, 409, "conflict", "VM %s is %s and has no process", i->name,
			instance_state_names[i->state]);
	else if (streams)
		stream(req, i, interval_ms);
	else
		answer_json(req, 200, json_incref(stats));
	json_decref(stats);
}
