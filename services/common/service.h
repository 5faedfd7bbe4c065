/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of a service: command line, settings, log, loop, signals, HTTP server with /healthz and /metrics,
 * registration, drain.
 *
 *   main -> settings -> start() -> register (again and again until taken) -> listen -> run
 *   SIGTERM, SIGINT -> take the registration back -> drain() -> finish requests in flight -> stop() -> exit 0
 *
 * The own port is bound (not listening) before the address is registered, so that a port in use is found at once and
 * port 0 has its number. A second signal, or MICRO_DRAIN_MS, ends the drain.
 */
#ifndef SERVICES_COMMON_SERVICE_H
#define SERVICES_COMMON_SERVICE_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/httpc.h"
#include "lib/httpd.h"
#include "lib/loop.h"
#include "services/common/env.h"
#include "services/common/metrics.h"
#include "services/common/registry.h"
#include "services/common/upstream.h"

struct service;

struct service_spec {
	const char *name;           /* "micro-db": of the program, in logs */
	const char *summary;        /* one line */
	const char *port_env;       /* "MICRO_DB_PORT"; then PORT */
	int port;                   /* default; -1: listens only when a variable asks for it */
	const char *key;            /* registers itself under this; NULL: does not */
	bool takes_registry;        /* the registry's address is the argument */
	const struct env_help *env; /* of this service, ends with {0} */
	const struct httpd_route *routes;
	size_t route_count;
	unsigned int max_connections; /* 0: 256 */
	size_t conn_memory_bytes; /* of a connection, half of it what is read at a time; 0: 8 KiB */
	bool keeps_memory;        /* from one piece of work to the next, see service_worked() */
	int (*start)(struct service *s, struct err *err); /* 0 or -errno */
	void (*drain)(struct service *s);                 /* may be NULL: answer what is deferred */
	bool (*busy)(struct service
			*s); /* may be NULL: work that the exit waits for; see service_idle() */
	void (*stop)(
		struct service *s); /* may be NULL: frees what start() made; also when it failed */
	void (*metrics)(struct service *s, struct buf *out); /* may be NULL */
	/* The glue's own errors; NULL: text. May leave the request unanswered. */
	void (*error)(struct httpd_req *req, unsigned int status, const char *sentence);
};

struct service {
	const struct service_spec *spec;
	void *data; /* the service's own */
	struct loop *loop;
	struct httpd *http;
	struct httpc *client;
	struct registry *registry;
	struct upstream *upstream;
	bool has_registry, draining;
	struct registry_address registry_address;
};

/* The whole life; returns the exit status: 0, 1 failed, 2 usage. */
int service_main(const struct service_spec *spec, int argc, char **argv);
/* The service that a request came to. */
struct service *service_of(const struct httpd_req *req);
/*
 * A picture (or anything large) was dealt with. With keeps_memory, memory is kept from one to the next: pages that are given back and asked for again cost more than
 * the work. When nothing has come for a second, what is free goes back to the system.
 */
void service_worked(struct service *s);
/* busy() has become false. */
void service_idle(struct service *s);
/* A TCP socket bound to MICRO_LISTEN and port (0: any; then *got is which), not listening. Its descriptor, or -errno. */
int service_bind(uint16_t port, uint16_t *got, struct err *err);
/* Ends with an error, e.g. when the database is lost. */
void service_fail(struct service *s, const char *why);

#endif
