/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of services: "host:port", as they stand on command lines, in variables and in the registry. */
#ifndef SERVICES_COMMON_ENDPOINT_H
#define SERVICES_COMMON_ENDPOINT_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define ENDPOINT_HOST_BYTES 254
#define ENDPOINT_BYTES      (ENDPOINT_HOST_BYTES + 6)
#define ENDPOINTS_MAX       32
#define ENDPOINT_WEIGHT_MAX 1000

struct endpoint {
	char text[ENDPOINT_BYTES]; /* "host:port", normalised */
	char host[ENDPOINT_HOST_BYTES];
	uint16_t port;
	unsigned int weight; /* 1 to ENDPOINT_WEIGHT_MAX; 0 counts as 1 */
};

struct endpoints {
	size_t count;
	struct endpoint item[ENDPOINTS_MAX];
};

/*
 * Parses "host:port", with "http://" before and "/" behind allowed. host: letters, digits, '.', '-', or an IPv6
 * address in brackets. 0, or -EINVAL with a sentence.
 */
int endpoint_parse(const char *text, struct endpoint *e, struct err *err);
/* The same with ";weight=N" behind it, as a registry may have it. */
int endpoint_parse_weighted(const char *text, struct endpoint *e, struct err *err);

/*
 * The own address as others see it: the source address towards the peer (a numeric IPv4 address, may be NULL or a name),
 * else the first IPv4 address that is not of the loopback, else 127.0.0.1. out takes at least 16 bytes.
 */
void endpoint_own_address(const char *peer, char *out, size_t size);

/*
 * Order of preference of the endpoints for a key: every client that knows the same endpoints gets the same order, and one
 * endpoint more or less moves only its own share (rendezvous hashing). order: count indexes.
 */
void endpoints_rank(const struct endpoints *list, const char *key, size_t *order);

#endif
