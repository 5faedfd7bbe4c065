/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: takes tasks from a master, does what they ask for to their pictures, puts the results into storage. Each slot does one task
 * after the other, without pauses:
 *
 *   POLL --200--> ROOM --> FETCH --> PAINT --> STORE --> FINISH --> POLL        FETCH: from the storage where it should be, else from master, who looks
 *    ^  404, errors: pause             |          |         |
 *    |                                 +--> FAIL <+         | 409: somebody else has it by now
 *    +----------------------------------------+<-----------+
 *
 * Pictures are held while they are fetched, wait, and are stored. Nobody knows how large one will be before it is there, so a slot waits (ROOM) until the
 * largest would fit beside what the others hold: small ones go through all slots, of the largest there are as many as the memory takes, at least one.
 *
 * What another attempt would not do better (a broken picture, one that is too large) is given back as final: a dead letter at
 * once. While a task is held its lease is renewed each third of it; when the lease is lost the work is dropped.
 */
#include "services/common/service.h"
#include "services/worker/kernels.h"
#include "services/worker/painter.h"

#include "lib/jsonx.h"
#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define WAIT_S        30
#define POLL_MS       ((WAIT_S + 15) * 1000)
#define SHORT_POLL_NS NS_PER_S /* a master that answers sooner does not know ?wait */
#define PAUSE_MIN_NS  (200 * NS_PER_MS)
#define PAUSE_MAX_NS  (5 * NS_PER_S)
#define CALL_MS       20000
#define RETRY_MS      5000
#define SLOTS_MAX     PAINTER_THREADS_MAX
#define SLOTS_DEFAULT 4
#define ID_BYTES      20
#define TOKEN_BYTES   128

enum slot_state {
	SLOT_IDLE,
	SLOT_POLL,
	SLOT_ROOM,
	SLOT_FETCH,
	SLOT_PAINT,
	SLOT_STORE,
	SLOT_FINISH,
	SLOT_FAIL
};

struct slot {
	struct worker *w;
	enum slot_state state;
	struct upstream_call *call, *renewal;
	struct loop_timer *pause, *renew;
	int64_t polled_ns, pause_ns, lease_ms;
	uint64_t holds; /* bytes of the worker's room */
	bool lost;      /* the lease is somebody else's: stop where that is possible */
	bool old_db;    /* it does not know leases: no use in renewing */
	char id[ID_BYTES], lease_header[TOKEN_BYTES + 16];
	char path[96], reason[PICTURE_PARAMS_BYTES + 120], filename[ID_BYTES + 8];
	char params[PICTURE_PARAMS_BYTES];
	bool final; /* the failure is */
	struct httpc_part part;
	struct paint_job job;
};

struct worker {
	struct service *s;
	struct painter *painter;
	char name[64];
	int64_t slots, max_bytes;
	uint64_t room, held; /* bytes of pictures, results of those being painted apart */
	uint64_t failed, lost, busy_ns;
	uint64_t done[PICTURE_OPS]; /* by operation */
	uint64_t bytes_in, bytes_out;
	struct histogram paint;
	struct slot slot[SLOTS_MAX];
};

static void poll_next(struct slot *slot);
static void fetch(struct slot *slot);

/* --- memory ------------------------------------------------------------------------------------------------------------ */
/* A body that comes grows by doubling. */
static uint64_t fetch_need(const struct worker *w)
{
	return 2 * (uint64_t)w->max_bytes;
}

static bool has_room(const struct worker *w)
{
	return !w->held || w->held + fetch_need(w) <= w->room;
}

/* What was given back is for who waits. */
static void hold(struct slot *slot, uint64_t bytes)
{
	struct worker *w = slot->w;
	bool less = bytes < slot->holds;

	w->held += bytes - slot->holds;
	slot->holds = bytes;
	for (int64_t i = 0; less && i < w->slots && has_room(w); i++) {
		if (w->slot[i].state == SLOT_ROOM)
			fetch(&w->slot[i]);
	}
}

/* --- the end of a task ------------------------------------------------------------------------------------------------ */
static void let_go(struct slot *slot)
{
	if (slot->job.in.len)
		service_worked(slot->w->s);
	loop_timer_cancel(slot->renew);
	upstream_cancel(steal_ptr(&slot->renewal));
	buf_fini(&slot->job.in);
	buf_fini(&slot->job.out);
	slot->state = SLOT_IDLE;
	slot->lost = false;
	hold(slot, 0);
}

static void next_task(struct slot *slot)
{
	let_go(slot);
	if (slot->w->s->draining)
		service_idle(slot->w->s);
	else
		poll_next(slot);
}

static void pause_poll(struct slot *slot, int64_t ns)
{
	slot->state = SLOT_IDLE;
	if (slot->w->s->draining)
		service_idle(slot->w->s);
	else
		loop_timer_set(slot->pause, ns);
}

static void on_pause_over(void *arg)
{
	struct slot *slot = arg;

	if (slot->state == SLOT_IDLE && !slot->w->s->draining)
		poll_next(slot);
}

/* --- requests ----------------------------------------------------------------------------------------------------------- */
typedef void slot_answer(void *arg, const struct httpc_response *resp, size_t instances);

/* q: key, http and retry_ms are the caller's; path is slot->path. */
static void ask(
	struct slot *slot, enum slot_state state, struct upstream_request q, slot_answer *fn)
{
	const char *headers[3] = {slot->lease_header, NULL};

	slot->state = state;
	q.path = slot->path;
	q.done = fn;
	q.arg = slot;
	if (slot->lease_header[0] && state != SLOT_POLL)
		q.http.headers = headers;
	if (state == SLOT_FAIL && slot->final)
		headers[1] = "X-Final: 1";
	if (upstream_start(slot->w->s->upstream, &q, &slot->call) < 0) {
		log_error("out of memory", "task=%s", slot->id);
		let_go(slot);
		pause_poll(slot, PAUSE_MAX_NS);
	}
}

/* The lease was lost while a request or a picture was under way. */
static void drop(struct slot *slot)
{
	slot->w->lost++;
	log_warn("lease lost", "task=%s worker=%s", slot->id, slot->w->name);
	upstream_cancel(steal_ptr(&slot->call));
	if (slot->state == SLOT_PAINT)
		slot->lost = true; /* the painter has the job: go on when it is back */
	else
		next_task(slot);
}

static void on_renewed(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct slot *slot = arg;

	(void)instances;
	slot->renewal = NULL;
	if (resp->status == 409)
		drop(slot);
	else if (resp->status == 404 || resp->status == 405)
		slot->old_db = true;
	else
		loop_timer_set(slot->renew, slot->lease_ms * NS_PER_MS / 3);
}

static void on_renew(void *arg)
{
	struct slot *slot = arg;
	const char *headers[] = {slot->lease_header, NULL};
	char path[64];
	struct upstream_request q = {.key = "masterendpoint",
		.path = path,
		.http = {.method = "POST", .headers = headers},
		.done = on_renewed,
		.arg = slot};

	snprintf(path, sizeof(path), "/task/%s/renew", slot->id);
	q.http.timeout_ms = (unsigned int)slot->lease_ms / 2;
	if (upstream_start(slot->w->s->upstream, &q, &slot->renewal) < 0)
		loop_timer_set(slot->renew, slot->lease_ms * NS_PER_MS / 6);
}

static void on_failed(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct slot *slot = arg;

	(void)resp; /* an old master does not know the route: the lease runs out then */
	(void)instances;
	slot->call = NULL;
	next_task(slot);
}

static void fail(struct slot *slot, const char *what, const char *why, bool final)
{
	slot->final = final;
	snprintf(slot->reason, sizeof(slot->reason), "%s: %s", what, why);
	log_warn("task failed", "task=%s worker=%s op=%s final=%d reason=\"%s\"", slot->id,
		slot->w->name, picture_op_name(slot->job.params.op), final, slot->reason);
	slot->w->failed++;
	snprintf(slot->path, sizeof(slot->path), "/task/%s/fail", slot->id);
	ask(slot, SLOT_FAIL,
		(struct upstream_request){.key = "masterendpoint",
			.retry_ms = RETRY_MS,
			.idempotent = true,
			.http = {.method = "POST",
				.body = slot->reason,
				.len = strlen(slot->reason),
				.timeout_ms = CALL_MS}},
		on_failed);
}

static void on_finished(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct slot *slot = arg;
	struct worker *w = slot->w;

	(void)instances;
	slot->call = NULL;
	if (resp->status == 200) {
		w->done[slot->job.params.op]++;
		w->bytes_out += slot->job.out.len;
		log_info("task done", "task=%s worker=%s op=%s paint_us=%" PRId64, slot->id,
			w->name, picture_op_name(slot->job.params.op), slot->job.ns / 1000);
	} else {
		w->lost++;
		log_warn("finish refused", "task=%s worker=%s status=%d error=\"%s\"", slot->id,
			w->name, resp->status, resp->error);
	}
	next_task(slot);
}

static void status_text(const struct httpc_response *resp, char *out, size_t size)
{
	if (resp->code < 0)
		snprintf(out, size, "%s", resp->error);
	else
		snprintf(out, size, "status %d", resp->status);
}

static void on_stored(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct slot *slot = arg;
	char why[120];

	(void)instances;
	slot->call = NULL;
	if (resp->status != 200) {
		status_text(resp, why, sizeof(why));
		fail(slot, "storing the result", why, false);
		return;
	}
	snprintf(slot->path, sizeof(slot->path), "/task/%s/finish", slot->id);
	ask(slot, SLOT_FINISH,
		(struct upstream_request){.key = "masterendpoint",
			.retry_ms = RETRY_MS,
			.idempotent = slot->lease_header[0],
			.http = {.method = "POST", .timeout_ms = CALL_MS}},
		on_finished);
}

static void on_painted(struct paint_job *job)
{
	struct slot *slot = job->arg;

	bool jpeg = job->format == FORMAT_JPEG;

	slot->w->busy_ns += (uint64_t)job->ns;
	histogram_add(&slot->w->paint, job->ns);
	hold(slot, job->in.cap + job->out.cap);
	if (slot->lost) {
		next_task(slot);
		return;
	}
	if (job->result < 0) {
		fail(slot, "the picture", job->err.msg, job->result != -ENOMEM);
		return;
	}
	snprintf(slot->path, sizeof(slot->path), "/upload/%s?kind=result", slot->id);
	snprintf(slot->filename, sizeof(slot->filename), "%s.%s", slot->id, jpeg ? "jpg" : "png");
	slot->part = (struct httpc_part){.name = "image",
		.filename = slot->filename,
		.type = jpeg ? "image/jpeg" : "image/png",
		.data = job->out.data,
		.len = job->out.len};
	ask(slot, SLOT_STORE,
		(struct upstream_request){.key = "storageendpoint",
			.hash = slot->id,
			.retry_ms = RETRY_MS,
			.idempotent = true,
			.http = {.method = "POST",
				.parts = &slot->part,
				.part_count = 1,
				.timeout_ms = CALL_MS}},
		on_stored);
}

static void paint(struct slot *slot, const struct httpc_response *resp)
{
	struct worker *w = slot->w;

	w->bytes_in += resp->len;
	buf_init(&slot->job.in, 0);
	buf_init(&slot->job.out, (size_t)w->max_bytes);
	if (buf_add(&slot->job.in, resp->body, resp->len) < 0) {
		fail(slot, "fetching the picture", "out of memory", false);
		return;
	}
	slot->state = SLOT_PAINT;
	hold(slot, slot->job.in.cap);
	slot->job.done = on_painted;
	slot->job.arg = slot;
	painter_add(w->painter, &slot->job);
}

static void on_fetched(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct slot *slot = arg;
	char why[120];

	(void)instances;
	slot->call = NULL;
	if (resp->status == 200) {
		paint(slot, resp);
		return;
	}
	status_text(resp, why, sizeof(why));
	fail(slot, "fetching the picture", why, false);
}

static void fetch_from_master(struct slot *slot)
{
	snprintf(slot->path, sizeof(slot->path), "/task/%s/download?kind=input", slot->id);
	ask(slot, SLOT_FETCH,
		(struct upstream_request){.key = "masterendpoint",
			.retry_ms = RETRY_MS,
			.idempotent = true,
			.http = {.timeout_ms = CALL_MS, .max_bytes = (size_t)slot->w->max_bytes}},
		on_fetched);
}

static void on_fetched_directly(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct slot *slot = arg;

	(void)instances;
	slot->call = NULL;
	if (resp->status == 200)
		paint(slot, resp);
	else
		fetch_from_master(slot);
}

static void fetch(struct slot *slot)
{
	struct err err = {0};

	hold(slot, fetch_need(slot->w));
	slot->job.params = (struct picture_params){0};
	if (picture_params_parse(slot->params, &slot->job.params, &err) < 0) {
		fail(slot, "the parameters", err.msg, true);
		return;
	}
	/* A picture that is passed on by master goes over the network twice. */
	snprintf(slot->path, sizeof(slot->path), "/download/%s?kind=input", slot->id);
	ask(slot, SLOT_FETCH,
		(struct upstream_request){.key = "storageendpoint",
			.hash = slot->id,
			.http = {.timeout_ms = CALL_MS, .max_bytes = (size_t)slot->w->max_bytes}},
		on_fetched_directly);
}

/* --- polling -------------------------------------------------------------------------------------------------------------- */
/* Takes id and lease from a master's answer. */
static int take_task(struct slot *slot, const struct httpc_response *resp)
{
	_cleanup_json_ json_t *json = NULL;
	const char *token = httpc_header(resp, "X-Lease"), *ms = httpc_header(resp, "X-Lease-Ms"),
		   *params = httpc_header(resp, "X-Task-Params");
	int64_t id;

	if (jsonx_parse_object(resp->body, resp->len, 4, &json, NULL) < 0 ||
		jsonx_int(json, "id", 0, INT64_C(999999999999999999), &id, NULL) < 0)
		return -EBADMSG;
	snprintf(slot->id, sizeof(slot->id), "%" PRId64, id);
	snprintf(slot->params, sizeof(slot->params), "%s", params ? params : "");
	slot->lease_header[0] = '\0';
	if (token && strlen(token) < TOKEN_BYTES)
		snprintf(slot->lease_header, sizeof(slot->lease_header), "X-Lease: %s", token);
	slot->lease_ms = ms ? strtoll(ms, NULL, 10) : 0;
	if (slot->lease_ms < 10 || slot->lease_ms > 86400000)
		slot->lease_ms = 20000;
	return 0;
}

static void on_polled(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct slot *slot = arg;
	bool soon = loop_now_ns() - slot->polled_ns < SHORT_POLL_NS;

	(void)instances;
	slot->call = NULL;
	slot->state = SLOT_IDLE;
	if (resp->status == 200 && take_task(slot, resp) == 0) {
		slot->pause_ns = PAUSE_MIN_NS;
		if (slot->lease_header[0] && !slot->old_db)
			loop_timer_set(slot->renew, slot->lease_ms * NS_PER_MS / 3);
		slot->state = SLOT_ROOM;
		if (has_room(slot->w))
			fetch(slot);
	} else if (resp->status == 404) {
		slot->pause_ns = PAUSE_MIN_NS;
		if (soon)
			pause_poll(slot, SHORT_POLL_NS);
		else
			next_task(slot);
	} else {
		log_debug("no master", "status=%d error=\"%s\"", resp->status, resp->error);
		pause_poll(slot, slot->pause_ns);
		slot->pause_ns =
			slot->pause_ns * 2 < PAUSE_MAX_NS ? slot->pause_ns * 2 : PAUSE_MAX_NS;
	}
}

static void poll_next(struct slot *slot)
{
	slot->polled_ns = loop_now_ns();
	slot->lease_header[0] = '\0';
	snprintf(slot->path, sizeof(slot->path), "/task/next?wait=%d&worker=%s", WAIT_S,
		slot->w->name);
	ask(slot, SLOT_POLL,
		(struct upstream_request){.key = "masterendpoint",
			.waits = true,
			.http = {.timeout_ms = POLL_MS, .max_bytes = 4 * KIB}},
		on_polled);
}

/* --- life --------------------------------------------------------------------------------------------------------------- */
/* The name goes into a URL: letters, digits, '-', '_', '.'. */
static void choose_name(struct worker *w)
{
	const char *given = env_str("MICRO_WORKER_NAME");
	char host[32] = "";
	uint16_t random = 0;

	gethostname(host, sizeof(host) - 1);
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint16_t)loop_now_ns();
	if (given)
		snprintf(w->name, sizeof(w->name), "%s", given);
	else
		snprintf(w->name, sizeof(w->name), "%s-%d-%04x", host, getpid(), random);
	for (char *p = w->name; *p; p++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			    *p))
			*p = '-';
	}
}

static int start_slots(struct worker *w)
{
	for (int64_t i = 0; i < w->slots; i++) {
		struct slot *slot = &w->slot[i];

		slot->w = w;
		slot->pause_ns = PAUSE_MIN_NS;
		if (loop_timer_new(w->s->loop, on_pause_over, slot, &slot->pause) < 0 ||
			loop_timer_new(w->s->loop, on_renew, slot, &slot->renew) < 0)
			return -ENOMEM;
		loop_timer_set(slot->pause, 0);
	}
	return 0;
}

static int64_t clamp(int64_t n, int64_t max)
{
	return n < 1 ? 1 : (n > max ? max : n);
}

/* Half of the processors are for those who send, keep and fetch the pictures. */
static int64_t default_threads(int64_t slots)
{
	return clamp(sysconf(_SC_NPROCESSORS_ONLN) / 2, slots);
}

/*
 * While one picture is painted others are fetched, wait, and are on their way to the disk. Each may be as large as pictures may be: they have half of
 * the memory, and in it the results of those that are painted.
 */
static int64_t default_hold_mib(const struct worker *w, int64_t threads)
{
	int64_t half = sysconf(_SC_PHYS_PAGES) / (int64_t)(MIB / 4096) / 2,
		results = threads * w->max_bytes / (int64_t)MIB;

	return half > results ? half - results : 0;
}

/* Half of what there is, at most 1 GiB: the other half is for what is under way on the network. */
static int64_t default_memory_mib(void)
{
	int64_t mib = sysconf(_SC_PHYS_PAGES) / (int64_t)(MIB / 4096) / 2;

	return mib < 4 ? 4 : (mib > 1024 ? 1024 : mib);
}

static int worker_start(struct service *s, struct err *err)
{
	struct worker *w = calloc(1, sizeof(*w));
	const char *master = env_str("MICRO_MASTER_ENDPOINT"),
		   *storage = env_str("MICRO_STORAGE_ENDPOINT");
	struct picture_limits limits = {.max_side = 32768};
	struct endpoint e;
	int64_t pixels, memory, threads, hold_mib;

	s->data = w;
	if (!w)
		return err_set(err, ENOMEM, "out of memory");
	w->s = s;
	if (env_int("MICRO_WORKER_MAX_BYTES", 1024, INT64_C(1) << 30, 16 * MIB, &w->max_bytes,
		    err) < 0 ||
		env_int("MICRO_WORKER_SLOTS", 1, SLOTS_MAX, SLOTS_DEFAULT, &w->slots, err) < 0 ||
		env_int("MICRO_WORKER_MAX_PIXELS", 1, INT64_C(1) << 30, 50000000, &pixels, err) <
			0 ||
		env_int("MICRO_WORKER_THREADS", 1, SLOTS_MAX, default_threads(w->slots), &threads,
			err) < 0 ||
		env_int("MICRO_WORKER_MEMORY_MIB", 4, 1 << 20, default_memory_mib(), &memory, err) <
			0 ||
		env_int("MICRO_WORKER_HOLD_MIB", 0, 1 << 20, default_hold_mib(w, threads),
			&hold_mib, err) < 0)
		return -EINVAL;
	limits.max_pixels = (uint64_t)pixels;
	limits.memory_bytes = (uint64_t)memory * MIB / (uint64_t)threads;
	w->room = (uint64_t)hold_mib * MIB;
	if (!s->has_registry && (!master || !storage))
		return err_set(err, EINVAL,
			"where is the registry? Give host:port, or MICRO_MASTER_ENDPOINT and "
			"MICRO_STORAGE_ENDPOINT");
	if (master &&
		(endpoint_parse(master, &e, err) < 0 ||
			registry_set(s->registry, "masterendpoint", &e) < 0))
		return err_prefix(err, "MICRO_MASTER_ENDPOINT");
	if (storage &&
		(endpoint_parse(storage, &e, err) < 0 ||
			registry_set(s->registry, "storageendpoint", &e) < 0))
		return err_prefix(err, "MICRO_STORAGE_ENDPOINT");
	choose_name(w);
	if (painter_new(s->loop, &limits, (unsigned int)threads, &w->painter) < 0 ||
		start_slots(w) < 0)
		return err_set(err, ENOMEM, "cannot start the painter");
	log_info("working",
		"worker=%s slots=%" PRId64 " threads=%" PRId64 " memory_mib=%" PRId64 " kernels=%s",
		w->name, w->slots, threads, memory, kernels_best()->name);
	return 0;
}

static bool worker_busy(struct service *s)
{
	struct worker *w = s->data;

	for (int64_t i = 0; i < w->slots; i++) {
		if (w->slot[i].state != SLOT_IDLE)
			return true;
	}
	return false;
}

static void worker_drain(struct service *s)
{
	struct worker *w = s->data;

	for (int64_t i = 0; i < w->slots; i++) {
		struct slot *slot = &w->slot[i];

		loop_timer_cancel(slot->pause);
		if (slot->state != SLOT_POLL)
			continue;
		upstream_cancel(steal_ptr(&slot->call));
		slot->state = SLOT_IDLE;
	}
}

static void worker_stop(struct service *s)
{
	struct worker *w = s->data;

	if (!w)
		return;
	painter_free(w->painter);
	for (int64_t i = 0; i < w->slots; i++) {
		struct slot *slot = &w->slot[i];

		upstream_cancel(slot->call);
		upstream_cancel(slot->renewal);
		loop_timer_free(slot->pause);
		loop_timer_free(slot->renew);
		buf_fini(&slot->job.in);
		buf_fini(&slot->job.out);
	}
	free(w);
}

static uint64_t tasks_held(const struct worker *w)
{
	uint64_t n = 0;

	for (int64_t i = 0; i < w->slots; i++)
		n += w->slot[i].state != SLOT_IDLE && w->slot[i].state != SLOT_POLL;
	return n;
}

static void worker_metrics(struct service *s, struct buf *out)
{
	struct worker *w = s->data;
	char labels[40];

	metrics_head(out, "worker_tasks_done_total", "counter", "Tasks done, by operation.");
	for (int op = 0; op < PICTURE_OPS; op++) {
		snprintf(labels, sizeof(labels), "op=\"%s\"", picture_op_name((enum picture_op)op));
		metrics_sample(out, "worker_tasks_done_total", labels, w->done[op]);
	}
	metrics_gauge(out, "worker_tasks_held", "Tasks in work.", tasks_held(w));
	metrics_gauge(out, "worker_held_bytes", "Memory of pictures in work.", w->held);
	metrics_counter(out, "worker_bytes_in_total", "Bytes of pictures fetched.", w->bytes_in);
	metrics_counter(out, "worker_bytes_out_total", "Bytes of results stored.", w->bytes_out);
	metrics_head(out, "worker_paint_seconds", "histogram",
		"Time of one picture, decoding to encoding.");
	metrics_histogram(out, "worker_paint_seconds", "", &w->paint);
	metrics_counter(out, "worker_tasks_failed_total", "Tasks given back.", w->failed);
	metrics_counter(out, "worker_leases_lost_total", "Tasks that somebody else had by the end.",
		w->lost);
	metrics_head(out, "worker_busy_seconds_total", "counter", "Time spent on pictures.");
	buf_printf(out, "micro_worker_busy_seconds_total %.6f\n", (double)w->busy_ns / 1e9);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_WORKER_NAME",
			"name in the queue's records (default: host, process, chance)"},
		{"MICRO_WORKER_SLOTS",
			"tasks at a time, 1 to 8 (default 4, fewer while large pictures need the "
			"memory)"},
		{"MICRO_WORKER_MAX_BYTES", "of a picture, and of its result (default 16777216)"},
		{"MICRO_WORKER_MAX_PIXELS", "of a picture (default 50000000)"},
		{"MICRO_WORKER_THREADS",
			"pictures painted at a time (default: half of the processors, at most "
			"slots)"},
		{"MICRO_WORKER_MEMORY_MIB",
			"for all pictures in work; a picture that needs more fails (default: half "
			"of the machine's, at most 1024)"},
		{"MICRO_WORKER_HOLD_MIB",
			"for pictures that are fetched, wait or are stored; one at a time when it "
			"is too little (default: half of the machine's, less the results of those "
			"in work)"},
		{"MICRO_MASTER_ENDPOINT", "host:port of a master, instead of the registry's"},
		{"MICRO_STORAGE_ENDPOINT", "host:port of the storage, instead of the registry's"},
		{0},
	};
	static const struct service_spec spec = {
		.name = "worker",
		.summary = "Does the tasks: changes PNG and JPEG pictures.",
		.port_env = "MICRO_WORKER_PORT",
		.port = -1,
		.takes_registry = true,
		.keeps_memory = true,
		.env = env,
		.start = worker_start,
		.busy = worker_busy,
		.drain = worker_drain,
		.stop = worker_stop,
		.metrics = worker_metrics,
	};

	return service_main(&spec, argc, argv);
}
