/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static uint32_t mask_of(unsigned prefix)
{
	return prefix ? ~0u << (32 - prefix) : 0;
}

/* inet_pton() takes leading zeros off the table already (glibc refuses them). */
int ipv4_parse(const char *text, uint32_t *ip)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return -EINVAL;
	*ip = ntohl(in.s_addr);
	return 0;
}

void ipv4_format(uint32_t ip, char text[IPV4_TEXT_BYTES])
{
	snprintf(text, IPV4_TEXT_BYTES, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 0xff, ip >> 8 & 0xff,
		ip & 0xff);
}

void mac_format(const uint8_t mac[MAC_BYTES], char text[MAC_TEXT_BYTES])
{
	snprintf(text, MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

int mac_parse(const char *text, uint8_t mac[MAC_BYTES])
{
	uint8_t out[MAC_BYTES];

	if (strlen(text) != MAC_TEXT_BYTES - 1)
		return -EINVAL;
	for (size_t i = 0; i < MAC_BYTES; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i + 1 < MAC_BYTES && text[3 * i + 2] != ':'))
			return -EINVAL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(mac, out, sizeof(out));
	return 0;
}

bool mac_is_none(const uint8_t mac[MAC_BYTES])
{
	static const uint8_t none[MAC_BYTES];

	return memcmp(mac, none, sizeof(none)) == 0;
}

static int parse_prefix(const char *text, unsigned *prefix)
{
	unsigned value = 0;

	if (!*text || strlen(text) > 2)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(*text - '0');
	}
	*prefix = value;
	return 0;
}

int subnet_parse(const char *text, struct subnet *out, struct err *err)
{
	char addr[IPV4_TEXT_BYTES];
	const char *slash = strchr(text, '/');
	struct subnet subnet;

	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return err_set(err, EINVAL, "\"%s\" is no subnet, write it as 10.93.0.0/16", text);
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	if (ipv4_parse(addr, &subnet.base) < 0 || parse_prefix(slash + 1, &subnet.prefix) < 0)
		return err_set(err, EINVAL, "\"%s\" is no subnet, write it as 10.93.0.0/16", text);
	if (subnet.prefix < SUBNET_PREFIX_MIN || subnet.prefix > SUBNET_PREFIX_MAX)
		return err_set(err, EINVAL, "subnet %s: the prefix must be from /%d to /%d", text,
			SUBNET_PREFIX_MIN, SUBNET_PREFIX_MAX);
	if (subnet.base & ~mask_of(subnet.prefix))
		return err_set(err, EINVAL, "subnet %s has host bits set", text);
	*out = subnet;
	return 0;
}

uint32_t subnet_gateway(const struct subnet *s)
{
	return s->base + 1;
}

uint32_t subnet_hosts(const struct subnet *s)
{
	return (1u << (32 - s->prefix)) - 3;
}

uint32_t subnet_host(const struct subnet *s, uint32_t index)
{
	return s->base + 2 + index;
}

int64_t subnet_index(const struct subnet *s, uint32_t ip)
{
	uint32_t offset = ip - s->base;

	if (ip < s->base || offset < 2 || offset - 2 >= subnet_hosts(s))
		return -ENOENT;
	return offset - 2;
}

bool subnet_overlaps(const struct subnet *s, uint32_t base, unsigned prefix)
{
	uint32_t mask = mask_of(prefix < s->prefix ? prefix : s->prefix);

	return (s->base & mask) == (base & mask);
}
