/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DNS server of the instances' network: UDP and TCP on two sockets that the caller has made. It answers from one function of the
 * caller's and knows nothing of instances. Everything is bounded: questions a second of one address, connections of one address and in
 * all, bytes of a question, the time that a connection may be silent. It sleeps while nobody asks.
 */
#ifndef DAEMON_NETWORK_DNS_H
#define DAEMON_NETWORK_DNS_H

#include "daemon/network/dns_msg.h"
#include "daemon/network/subnet.h"

#define DNS_RATE             500u /* questions a second of one address, in the long run */
#define DNS_BURST            1000u
#define DNS_CONNECTIONS_MAX  64u
#define DNS_CONNECTIONS_EACH 4u /* of one address */
#define DNS_SILENCE_S        5

struct dns;
struct loop;

/* What is known of a name (lower case), asked for from that address: an enum dns_rcode, and set, which is empty before. */
typedef int dns_lookup_fn(void *arg, uint32_t ip, const char *name, struct dns_set *set);

struct dns_config {
	struct loop *loop;
	int udp,
		tcp; /* bound, TCP listening, both non-blocking; the server's from a dns_new() that succeeded on */
	struct subnet subnet; /* whose addresses are answered */
	dns_lookup_fn *lookup;
	void *arg;
};

struct dns_counters {
	uint64_t queries, tcp_queries;
	uint64_t nxdomain, refused, failed; /* of the queries */
	uint64_t dropped;                   /* foreign, no questions, or too many a second */
	uint64_t connections_dropped;
};

/* 0 or -errno. */
int dns_new(const struct dns_config *config, struct dns **dns);
void dns_free(struct dns *dns); /* NULL is fine */
const struct dns_counters *dns_counters(const struct dns *dns);

#endif
