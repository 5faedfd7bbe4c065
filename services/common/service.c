/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/service.h"

#include "lib/keepalive.h"
#include "lib/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG          512
#define ROUTES_OWN       2
#define DRAIN_MS         20000
#define PEER_CONNECTIONS 512
#define REST_NS          NS_PER_S
#define KEEP_BYTES                                                                                 \
	(16 * MIB) /* of free memory, while at work; single pieces above it are not kept */

/* Counters of one route; the array runs parallel to the route table, one more for what fits no route. */
struct route_stat {
	uint64_t status[6]; /* by hundreds; [0]: not answered */
	struct histogram time;
};

struct frame {
	struct service s; /* first: a struct service is a struct frame */
	struct httpd_route *routes;
	size_t route_count;
	struct route_stat *stat;
	struct registrar *registrar;
	struct loop_timer *drain_timer, *rest;
	bool worked, rest_armed; /* since the timer was set; it is set */
	int fd;                  /* bound, until it listens */
	uint16_t port;           /* 0: no listener */
	int64_t drain_ms;
	bool http_done, failed;
};

static const struct env_help common_env[] = {
	{"MICRO_REGISTRY",
		"the registry's address, when it is not an argument: SCHEME://HOST[:PORT]"},
	{"MICRO_KEYVALUESTORE_ENDPOINT", "the same, host:port, when neither says where it is"},
	{"MICRO_ADVERTISE", "ip:port to register, instead of the own address"},
	{"MICRO_LISTEN", "numeric address to listen on (default 0.0.0.0)"},
	{"MICRO_REGISTRY_TTL_S", "a registration lives so long without renewal (default 15)"},
	{"MICRO_DRAIN_MS", "how long requests in flight may take after SIGTERM (default 20000)"},
	{"MICRO_BALANCE", "POLICY or [db=|storage=|master=]POLICY,...: round_robin, weighted,"},
	{"", "least_in_flight, two_choices, fastest, hash (default round_robin,storage=hash)"},
	{"MICRO_WEIGHT", "of this instance for who balances by weight (1 to 1000, default 1)"},
	{"MICRO_LOG", "debug, info (default), warn, error"},
	{0},
};

static struct frame *frame_of(struct service *s)
{
	return (struct frame *)s;
}

struct service *service_of(const struct httpd_req *req)
{
	return httpd_arg(req);
}

/* --- /healthz and /metrics -------------------------------------------------------------------------------------- */
static void on_healthz(struct httpd_req *req)
{
	struct service *s = service_of(req);
	const char *text = s->draining ? "draining\n" : "ok\n";

	httpd_reply(req, s->draining ? 503 : 200, "text/plain; charset=utf-8", text, strlen(text));
}

static void requests_metrics(const struct frame *f, struct buf *out)
{
	static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	char labels[200];

	metrics_head(
		out, "http_requests_total", "counter", "Requests by route and class of status.");
	for (size_t i = 0; i <= f->route_count; i++) {
		const struct httpd_route *r = i < f->route_count ? &f->routes[i] : NULL;

		for (size_t c = 0; c < ARRAY_SIZE(classes); c++) {
			if (!f->stat[i].status[c])
				continue;
			snprintf(labels, sizeof(labels), "method=\"%s\",route=\"%s\",status=\"%s\"",
				r ? r->method : "", r ? r->pattern : "other", classes[c]);
			metrics_sample(out, "http_requests_total", labels, f->stat[i].status[c]);
		}
	}
	metrics_head(out, "http_request_seconds", "histogram",
		"Time from the request line to the end of the answer.");
	for (size_t i = 0; i < f->route_count; i++) {
		if (!f->stat[i].time.count)
			continue;
		snprintf(labels, sizeof(labels), "method=\"%s\",route=\"%s\"", f->routes[i].method,
			f->routes[i].pattern);
		metrics_histogram(out, "http_request_seconds", labels, &f->stat[i].time);
	}
}

static void on_metrics(struct httpd_req *req)
{
	struct service *s = service_of(req);
	struct buf out = {0};

	metrics_head(&out, "info", "gauge", "Name and version.");
	buf_printf(&out, "micro_info{service=\"%s\",version=\"%s\"} 1\n", s->spec->name,
		UIGNITER_VERSION);
	metrics_gauge(&out, "http_connections", "Open connections.", httpd_connections(s->http));
	requests_metrics(frame_of(s), &out);
	metrics_counter(&out, "upstream_retries_total",
		"Requests to other services that were tried again.", upstream_retries(s->upstream));
	metrics_counter(&out, "upstream_failures_total",
		"Requests to other services that were given up.", upstream_failures(s->upstream));
	metrics_counter(&out, "upstream_ejections_total",
		"Instances of other services that were passed over for a while, so often.",
		balancer_ejections(upstream_balancer(s->upstream)));
	metrics_gauge(&out, "upstream_ejected", "Instances that are passed over now.",
		balancer_ejected(upstream_balancer(s->upstream)));
	metrics_process(&out);
	if (s->spec->metrics)
		s->spec->metrics(s, &out);
	httpd_reply_take(req, 200, "text/plain; version=0.0.4; charset=utf-8", out.data, out.len);
}

static void on_done(struct httpd_req *req)
{
	struct frame *f = frame_of(service_of(req));
	const struct httpd_route *route = httpd_route(req);
	struct route_stat *stat = &f->stat[route ? (size_t)(route - f->routes) : f->route_count];
	int64_t ns = httpd_elapsed_ns(req);

	stat->status[httpd_status(req) / 100 % 6]++;
	histogram_add(&stat->time, ns);
	log_debug("request", "method=%s path=\"%.200s\" status=%u us=%lld", httpd_method(req),
		httpd_path(req), httpd_status(req), (long long)ns / 1000);
}

static const struct httpd_route own_routes[ROUTES_OWN] = {
	{.method = "GET", .pattern = "/healthz", .handler = on_healthz},
	{.method = "GET", .pattern = "/metrics", .handler = on_metrics},
};

/* --- life --------------------------------------------------------------------------------------------------------- */
static void maybe_exit(struct frame *f)
{
	struct service *s = &f->s;

	if (f->http_done && (!s->spec->busy || !s->spec->busy(s)))
		loop_stop(s->loop, f->failed ? 1 : 0);
}

void service_worked(struct service *s)
{
	struct frame *f = frame_of(s);

	f->worked = true;
	if (!f->rest_armed)
		loop_timer_set(f->rest, REST_NS);
	f->rest_armed = true;
}

static void on_rest(void *arg)
{
	struct frame *f = arg;

	f->rest_armed = f->worked;
	f->worked = false;
	if (f->rest_armed)
		loop_timer_set(f->rest, REST_NS);
	else
		malloc_trim(0);
}

void service_idle(struct service *s)
{
	if (s->draining)
		maybe_exit(frame_of(s));
}

static void on_http_done(void *arg)
{
	struct frame *f = arg;

	f->http_done = true;
	maybe_exit(f);
}

static void on_drain_over(void *arg)
{
	struct frame *f = arg;

	log_warn("the drain took too long", "connections=%u", httpd_connections(f->s.http));
	loop_stop(f->s.loop, 1);
}

static void on_left(void *arg)
{
	struct frame *f = arg;

	if (f->s.spec->drain)
		f->s.spec->drain(&f->s);
	httpd_stop(f->s.http, f->drain_ms, on_http_done, f);
}

static void begin_drain(struct frame *f)
{
	struct service *s = &f->s;

	s->draining = true;
	loop_timer_set(f->drain_timer, f->drain_ms * NS_PER_MS + NS_PER_S);
	if (f->registrar)
		registrar_leave(f->registrar, on_left, f);
	else
		on_left(f);
}

static void on_signal(void *arg, int signo)
{
	struct frame *f = arg;

	log_info(f->s.draining ? "exiting at once" : "draining", "signal=%d requests=%u", signo,
		httpd_requests(f->s.http));
	if (f->s.draining)
		loop_stop(f->s.loop, 1);
	else
		begin_drain(f);
}

void service_fail(struct service *s, const char *why)
{
	log_error(why, NULL);
	frame_of(s)->failed = true;
	if (!s->draining)
		begin_drain(frame_of(s));
}

static void do_listen(void *arg)
{
	struct frame *f = arg;
	struct err err = {0};

	if (f->fd < 0)
		return;
	if (listen(f->fd, BACKLOG) < 0) {
		service_fail(&f->s, "cannot listen");
		return;
	}
	if (httpd_listen_fd(f->s.http, steal_fd(&f->fd), &err) < 0) {
		log_error("cannot listen", "error=\"%s\"", err.msg);
		service_fail(&f->s, "the HTTP server does not start");
		return;
	}
	log_info("listening", "port=%u", f->port);
}

int service_bind(uint16_t port, uint16_t *got, struct err *err)
{
	const char *address = env_str("MICRO_LISTEN") ?: "0.0.0.0";
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t len = sizeof(sin);
	_cleanup_close_ int fd = -1;
	int one = 1;

	if (inet_pton(AF_INET, address, &sin.sin_addr) != 1)
		return err_set(err, EINVAL, "MICRO_LISTEN must be a numeric IPv4 address");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	keepalive_on(fd); /* a worker that has vanished must not be given what it once waited for */
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		return err_sys(err, errno, "cannot bind %s port %u", address, port);
	if (getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		return err_sys(err, errno, "cannot read the own port");
	*got = ntohs(sin.sin_port);
	return steal_fd(&fd);
}

static int bind_port(struct frame *f, struct err *err)
{
	const struct service_spec *spec = f->s.spec;
	const char *env = env_str(spec->port_env) ? spec->port_env : "PORT";
	int64_t port;
	int r = env_int(env, 0, 65535, spec->port, &port, err);

	if (r < 0 || port < 0)
		return r;
	f->fd = service_bind((uint16_t)port, &f->port, err);
	return f->fd < 0 ? f->fd : 0;
}

static int start_registration(struct frame *f, struct err *err)
{
	struct service *s = &f->s;
	const char *advertise = env_str("MICRO_ADVERTISE");
	char value[ENDPOINT_BYTES], ip[INET_ADDRSTRLEN], weighted[ENDPOINT_BYTES + 16];
	struct endpoint e;
	int64_t weight, ttl;
	int r = env_int("MICRO_WEIGHT", 1, ENDPOINT_WEIGHT_MAX, 1, &weight, err);

	if (r < 0 || env_int("MICRO_REGISTRY_TTL_S", 2, 3600, REGISTRY_TTL_S, &ttl, err) < 0)
		return -EINVAL;
	registry_set_ttl(s->registry, (int)ttl);

	if (advertise) {
		r = endpoint_parse(advertise, &e, err);
		if (r < 0)
			return err_prefix(err, "MICRO_ADVERTISE");
		snprintf(value, sizeof(value), "%s", e.text);
	} else {
		endpoint_own_address(s->registry_address.at.host, ip, sizeof(ip));
		snprintf(value, sizeof(value), "%s:%u", ip, f->port);
	}
	/* Said only where it was set: clients of old know addresses alone. */
	snprintf(
		weighted, sizeof(weighted), weight > 1 ? "%s;weight=%d" : "%s", value, (int)weight);
	r = registrar_new(s->registry, s->spec->key, weighted, do_listen, f, &f->registrar);
	return r < 0 ? err_set(err, -r, "out of memory") : 0;
}

static int make_routes(struct frame *f)
{
	const struct service_spec *spec = f->s.spec;

	f->route_count = ROUTES_OWN + spec->route_count;
	f->routes = calloc(f->route_count, sizeof(*f->routes));
	f->stat = calloc(f->route_count + 1, sizeof(*f->stat));
	if (!f->routes || !f->stat)
		return -ENOMEM;
	memcpy(f->routes, own_routes, sizeof(own_routes));
	if (spec->route_count)
		memcpy(f->routes + ROUTES_OWN, spec->routes,
			spec->route_count * sizeof(*f->routes));
	return 0;
}

static int make_parts(struct frame *f, struct err *err)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	struct service *s = &f->s;
	struct balance_policies policies;
	struct httpd_config cfg;

	if (balance_policies_parse(env_str("MICRO_BALANCE") ?: "", &policies, err) < 0)
		return err_prefix(err, "MICRO_BALANCE");
	if (env_int("MICRO_DRAIN_MS", 0, 3600000, DRAIN_MS, &f->drain_ms, err) < 0)
		return -EINVAL;
	if (make_routes(f) < 0 || loop_new(&s->loop) < 0 ||
		loop_signals(s->loop, signals, on_signal, f) < 0 ||
		loop_timer_new(s->loop, on_drain_over, f, &f->drain_timer) < 0 ||
		loop_timer_new(s->loop, on_rest, f, &f->rest) < 0)
		return err_set(err, ENOMEM, "cannot start the event loop");
	cfg = (struct httpd_config){.loop = s->loop,
		.routes = f->routes,
		.route_count = f->route_count,
		.arg = s,
		.lenient_paths = true,
		.done = on_done,
		.error = s->spec->error,
		.max_connections = s->spec->max_connections,
		.conn_memory_bytes = s->spec->conn_memory_bytes ?: 8 * KIB};
	if (httpd_new(&cfg, &s->http, err) < 0 ||
		httpc_new(s->loop, PEER_CONNECTIONS, &s->client, err) < 0)
		return -err->code;
	httpc_watch_peers(s->client);
	if (registry_new(s->loop, s->client, s->has_registry ? &s->registry_address : NULL,
		    &s->registry) < 0 ||
		upstream_new(s->loop, s->client, s->registry, &policies, &s->upstream) < 0)
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

static int start(struct frame *f, struct err *err)
{
	struct service *s = &f->s;
	int r = make_parts(f, err);

	if (r < 0)
		return r;
	r = bind_port(f, err);
	if (r < 0)
		return r;
	r = s->spec->start ? s->spec->start(s, err) : 0;
	if (r < 0)
		return r;
	if (s->spec->key && s->has_registry)
		return start_registration(f, err);
	do_listen(f);
	return 0;
}

static void stop(struct frame *f)
{
	struct service *s = &f->s;

	/* The server first: requests that are given up tell the service, which must still be there. */
	httpd_free(s->http);
	if (s->spec->stop)
		s->spec->stop(s);
	registrar_free(f->registrar);
	upstream_free(s->upstream);
	registry_free(s->registry);
	httpc_free(s->client);
	loop_timer_free(f->drain_timer);
	loop_timer_free(f->rest);
	loop_free(s->loop);
	if (f->fd >= 0)
		close(f->fd);
	free(f->routes);
	free(f->stat);
}

/* --- command line ------------------------------------------------------------------------------------------------- */
static void print_env(const struct env_help *env)
{
	for (; env && env->name; env++)
		printf("  %-30s %s\n", env->name, env->text);
}

static void print_help(const struct service_spec *spec)
{
	printf("usage: %s%s\n\n%s\n\nEnvironment:\n", spec->name,
		spec->takes_registry ? " [REGISTRY]" : "", spec->summary);
	if (spec->port >= 0)
		printf("  %-30s port to listen on, also PORT (default %d; 0: any)\n",
			spec->port_env, spec->port);
	else
		printf("  %-30s port for /healthz and /metrics, also PORT (default: none)\n",
			spec->port_env);
	print_env(spec->env);
	print_env(common_env);
	if (spec->takes_registry)
		printf("\nREGISTRY: [kvstore://]HOST:PORT (also http://), memcached://HOST[:PORT], "
		       "etcd://HOST[:PORT]\n");
}

/* 0, 1: done (help), -EINVAL. */
static int parse_args(struct frame *f, int argc, char **argv, struct err *err)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
	const struct service_spec *spec = f->s.spec;
	const char *address;
	int c;

	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		if (c == 'h')
			print_help(spec);
		else if (c == 'V')
			printf("%s %s\n", spec->name, UIGNITER_VERSION);
		return c == '?' ? err_set(err, EINVAL, "see --help") : 1;
	}
	if (argc - optind > (spec->takes_registry ? 1 : 0))
		return err_set(err, EINVAL, "too many arguments, see --help");
	if (!spec->takes_registry)
		return 0;
	address = optind < argc ? argv[optind]
				: env_str("MICRO_REGISTRY") ?: env_str("MICRO_KEYVALUESTORE_ENDPOINT");
	if (!address)
		return 0;
	f->s.has_registry = true;
	return registry_address_parse(address, &f->s.registry_address, err);
}

int service_main(const struct service_spec *spec, int argc, char **argv)
{
	struct frame f = {.s.spec = spec, .fd = -1};
	const char *level = env_str("MICRO_LOG");
	enum log_level min = LOG_INFO;
	struct err err = {0};
	int r;

	/* One arena: the threads of a service are few, and each arena would keep memory of its own. */
	mallopt(M_ARENA_MAX, 1);
	/* Pictures go back to the system when they are freed, or when there are no more: service_worked(). */
	mallopt(M_MMAP_THRESHOLD, spec->keeps_memory ? KEEP_BYTES : 128 * KIB);
	mallopt(M_TRIM_THRESHOLD, spec->keeps_memory ? KEEP_BYTES : 128 * KIB);
	r = parse_args(&f, argc, argv, &err);
	if (r > 0)
		return 0;
	if (r == 0 && level && log_level_parse(level, &min) < 0)
		r = err_set(&err, EINVAL, "MICRO_LOG: unknown level \"%.40s\"", level);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", spec->name, err.msg);
		return 2;
	}
	log_init(spec->name, min);
	log_info("starting", "version=%s registry=%s", UIGNITER_VERSION,
		f.s.has_registry ? f.s.registry_address.text : "none");
	r = start(&f, &err);
	if (r < 0)
		log_error("cannot start", "error=\"%s\"", err.msg);
	else
		r = loop_run(f.s.loop);
	if (r < 0 && !err.code)
		log_error("the event loop failed", "error=%d", -r);
	stop(&f);
	log_info("stopped", "status=%d", r ? 1 : 0);
	return r == 0 ? 0 : (err.code == EINVAL ? 2 : 1);
}
