/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 subnets and addresses as numbers in host byte order. */
#ifndef DAEMON_NETWORK_SUBNET_H
#define DAEMON_NETWORK_SUBNET_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SUBNET_PREFIX_MIN 16 /* 65,533 instances: far beyond the 1,023 ports of a Linux bridge */
#define SUBNET_PREFIX_MAX 30 /* gateway and one instance */
#define IPV4_TEXT_BYTES   16
#define MAC_BYTES         6
#define MAC_TEXT_BYTES    18

struct subnet {
	uint32_t base; /* network address */
	unsigned prefix;
};

/* "a.b.c.d/p" with p from SUBNET_PREFIX_MIN to _MAX and no host bits set. 0 or -EINVAL with err. */
int subnet_parse(const char *text, struct subnet *subnet, struct err *err);

/* Strict dotted quad, no leading zeros. 0 or -EINVAL. */
int ipv4_parse(const char *text, uint32_t *ip);
void ipv4_format(uint32_t ip, char text[IPV4_TEXT_BYTES]);
/* Six pairs of hexadecimal digits with : between them. 0 or -EINVAL. */
int mac_parse(const char *text, uint8_t mac[MAC_BYTES]);
bool mac_is_none(const uint8_t mac[MAC_BYTES]); /* all 0 */
void mac_format(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT_BYTES]);

/* The first address is the bridge's. */
uint32_t subnet_gateway(const struct subnet *subnet);
/* Addresses for instances: all but network, gateway and broadcast address. */
uint32_t subnet_hosts(const struct subnet *subnet);
/* Address number index (0 ... subnet_hosts() - 1). */
uint32_t subnet_host(const struct subnet *subnet, uint32_t index);
/* Index of an instance's address; -ENOENT when ip is none of them. */
int64_t subnet_index(const struct subnet *subnet, uint32_t ip);
bool subnet_overlaps(const struct subnet *a, uint32_t base, unsigned prefix);

#endif
