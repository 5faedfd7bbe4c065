/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/subnet6.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define FNV_OFFSET 0xcbf29ce484222325ull /* FNV-1a, 64 bits */
#define FNV_PRIME  0x100000001b3ull

/* fd, 40 bits that others hardly choose, 16 bits of subnet (RFC 4193, 3.1). */
static void make_prefix(const char *seed, uint8_t base[IPV6_BYTES])
{
	uint64_t h = FNV_OFFSET;

	for (; *seed; seed++)
		h = (h ^ (uint8_t)*seed) * FNV_PRIME;
	h ^= h >> 32;
	h *= FNV_PRIME;
	memset(base, 0, IPV6_BYTES);
	base[0] = 0xfd;
	for (unsigned i = 1; i < 8; i++)
		base[i] = (uint8_t)(h >> 8 * i);
}

static int parse_prefix(const char *text, uint8_t base[IPV6_BYTES])
{
	static const uint8_t none[IPV6_BYTES / 2] = {0};
	char addr[IPV6_TEXT_BYTES];
	const char *slash = strchr(text, '/');

	if (!slash || strcmp(slash, "/64") != 0 || (size_t)(slash - text) >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	if (inet_pton(AF_INET6, addr, base) != 1 || memcmp(base + 8, none, sizeof(none)) != 0)
		return -EINVAL;
	/* A prefix of unicast addresses: neither 0::, nor link-local, nor groups. */
	return base[0] == 0 || base[0] == 0xff || (base[0] == 0xfe && base[1] >> 6 == 2) ? -EINVAL
											 : 0;
}

int subnet6_parse(const char *text, const char *seed, struct subnet6 *out, struct err *err)
{
	struct subnet6 subnet = {.on = true};

	if (strcmp(text, "none") == 0)
		subnet.on = false;
	else if (strcmp(text, "auto") == 0)
		make_prefix(seed, subnet.base);
	else if (parse_prefix(text, subnet.base) < 0)
		return err_set(err, EINVAL,
			"\"%s\" is no IPv6 subnet, write it as fd12:3456:789a:1::/64, auto or none",
			text);
	*out = subnet;
	return 0;
}

void subnet6_gateway(const struct subnet6 *subnet, uint8_t ip[IPV6_BYTES])
{
	memcpy(ip, subnet->base, IPV6_BYTES);
	ip[15] = 1;
}

void subnet6_of_mac(
	const struct subnet6 *subnet, const uint8_t mac[MAC_BYTES], uint8_t ip[IPV6_BYTES])
{
	const uint8_t id[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

	memcpy(ip, subnet->base, 8);
	memcpy(ip + 8, id, 8);
}

void ipv6_format(const uint8_t ip[IPV6_BYTES], char text[IPV6_TEXT_BYTES])
{
	inet_ntop(AF_INET6, ip, text, IPV6_TEXT_BYTES);
}

void subnet6_format(const struct subnet6 *subnet, char text[IPV6_TEXT_BYTES + 4])
{
	char base[IPV6_TEXT_BYTES];

	ipv6_format(subnet->base, base);
	snprintf(text, IPV6_TEXT_BYTES + 4, "%s%s", subnet->on ? base : "none",
		subnet->on ? "/64" : "");
}
