/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of instances, as instances themselves see them: a DNS server on the bridge's address, port 53.
 *
 *   NAME.uigniter, NAME           the instance of this name, while it has an address (NAME alone where it has no dot)
 *   SERVICE.APP.uigniter          the instances labelled so (NAMES_LABEL_APP, _SERVICE): those that are ready; when none is, those
 *                                 that run
 *   APP.uigniter                  the same of all services of an application; an instance of that name goes before
 *   4.3.2.1.in-addr.arpa          NAME.uigniter of the instance that has 1.2.3.4
 *
 * An instance finds those of its own network (`network` of a run), and no word of others; the machine itself, at the bridge's address, finds
 * all. IPv4 only. The answer is what the table of instances says at this moment, and may not be kept (TTL 0). Several addresses come in turning
 * order. Other names without a dot do not exist; names outside are refused: the manager asks nobody. Where port
 * 53 is taken, there are no names, and instances are not told of a server.
 */
#ifndef DAEMON_NAMES_H
#define DAEMON_NAMES_H

#include "daemon/network/dns.h"

#define NAMES_SUFFIX        "uigniter"
#define NAMES_LABEL_APP     "uigniter.app"
#define NAMES_LABEL_SERVICE "uigniter.service"

struct core;
struct instance;
struct names;

/* 0 or -errno with err. */
int names_new(struct core *core, struct names **names, struct err *err);
void names_free(struct names *names); /* NULL is fine */
const struct dns_counters *names_counters(const struct names *names);

/* What a name resolves to for who has that address; an enum dns_rcode. arg: the core. set is empty before. */
int names_lookup(void *arg, uint32_t ip, const char *name, struct dns_set *set);

/* Where an instance looks for names without a dot: "APP.uigniter,uigniter", cut at size. */
void names_search(const struct instance *inst, char *out, size_t size);

#endif
