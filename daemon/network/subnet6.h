/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 addresses of instances: a /64, and in it for each instance the address that its MAC makes (EUI-64, RFC 4291 appendix A). So nothing
 * has to be kept beside the IPv4 lease, whose number the MAC has, and an instance knows its neighbours' MACs without asking.
 */
#ifndef DAEMON_NETWORK_SUBNET6_H
#define DAEMON_NETWORK_SUBNET6_H

#include "daemon/network/subnet.h"

#define IPV6_BYTES      16
#define IPV6_TEXT_BYTES 46
#define SUBNET6_PREFIX  64

struct subnet6 {
	bool on;
	uint8_t base[IPV6_BYTES]; /* the last 8 bytes are 0 */
};

/* "ADDR/64", "none", or "auto": a unique local prefix (RFC 4193) that the seed makes, the same for the same seed. 0 or -EINVAL with err. */
int subnet6_parse(const char *text, const char *seed, struct subnet6 *subnet, struct err *err);
void subnet6_gateway(const struct subnet6 *subnet, uint8_t ip[IPV6_BYTES]);
void subnet6_of_mac(
	const struct subnet6 *subnet, const uint8_t mac[MAC_BYTES], uint8_t ip[IPV6_BYTES]);
void ipv6_format(const uint8_t ip[IPV6_BYTES], char text[IPV6_TEXT_BYTES]);
/* The prefix as subnet6_parse() takes it; "none". */
void subnet6_format(const struct subnet6 *subnet, char text[IPV6_TEXT_BYTES + 4]);

#endif
