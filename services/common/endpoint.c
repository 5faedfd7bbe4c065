/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define INTERFACES_MAX 16

static int parse_port(const char *s, size_t len, uint16_t *port)
{
	unsigned int n = 0;

	if (len < 1 || len > 5)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		n = n * 10 + (unsigned int)(s[i] - '0');
	}
	if (n < 1 || n > 65535)
		return -EINVAL;
	*port = (uint16_t)n;
	return 0;
}

static bool host_is_good(const char *s, size_t len)
{
	bool six = len > 2 && s[0] == '[' && s[len - 1] == ']';

	if (!len || len >= ENDPOINT_HOST_BYTES)
		return false;
	for (size_t i = six; i < len - six; i++) {
		unsigned char c = (unsigned char)s[i];

		if (six ? !isxdigit(c) && c != ':' && c != '.'
			: !isalnum(c) && c != '.' && c != '-' && c != '_')
			return false;
	}
	return true;
}

int endpoint_parse(const char *text, struct endpoint *e, struct err *err)
{
	const char *s = strncasecmp(text, "http://", 7) == 0 ? text + 7 : text;
	size_t len = strlen(s);
	const char *colon;
	uint16_t port;

	if (len && s[len - 1] == '/')
		len--;
	colon = memrchr(s, ':', len);
	if (!colon || !host_is_good(s, (size_t)(colon - s)) ||
		parse_port(colon + 1, len - (size_t)(colon + 1 - s), &port) < 0)
		return err_set(err, EINVAL, "\"%.100s\" is not an address (host:port)", text);
	snprintf(e->host, sizeof(e->host), "%.*s", (int)(colon - s), s);
	e->port = port;
	e->weight = 1;
	snprintf(e->text, sizeof(e->text), "%s:%u", e->host, port);
	return 0;
}

int endpoint_parse_weighted(const char *text, struct endpoint *e, struct err *err)
{
	const char *semi = strchr(text, ';'), *digits;
	char address[ENDPOINT_BYTES + 8];
	unsigned int weight = 0;
	int r;

	if (!semi)
		return endpoint_parse(text, e, err);
	digits = semi + 8;
	if ((size_t)(semi - text) >= sizeof(address) || strncmp(semi, ";weight=", 8) != 0 ||
		!*digits || strlen(digits) > 4 || digits[strspn(digits, "0123456789")])
		return err_set(err, EINVAL, "\"%.100s\" is not host:port;weight=N", text);
	snprintf(address, sizeof(address), "%.*s", (int)(semi - text), text);
	for (; *digits; digits++)
		weight = weight * 10 + (unsigned int)(*digits - '0');
	if (weight < 1 || weight > ENDPOINT_WEIGHT_MAX)
		return err_set(err, EINVAL, "a weight is 1 to %d", ENDPOINT_WEIGHT_MAX);
	r = endpoint_parse(address, e, err);
	if (r == 0)
		e->weight = weight;
	return r;
}

/* Connecting a datagram socket sends nothing, but chooses the source address. */
static int source_towards(const char *peer, struct in_addr *addr)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(9)};
	socklen_t len = sizeof(sin);
	_cleanup_close_ int fd = -1;

	if (!peer || inet_pton(AF_INET, peer, &sin.sin_addr) != 1)
		return -EINVAL;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
		getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		return -errno;
	if (sin.sin_addr.s_addr == htonl(INADDR_ANY))
		return -EADDRNOTAVAIL;
	*addr = sin.sin_addr;
	return 0;
}

/* By ioctl and not by getifaddrs(): that needs netlink, which not every system has that runs this. */
static int first_interface(struct in_addr *addr)
{
	struct ifreq req[INTERFACES_MAX];
	struct ifconf conf = {.ifc_len = sizeof(req), .ifc_req = req};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFCONF, &conf) < 0)
		return -errno;
	for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof(req[0]); i++) {
		struct sockaddr_in sin;

		/* cppcheck-suppress uninitvar ; the kernel filled it */
		memcpy(&sin, &req[i].ifr_addr, sizeof(sin));
		if (sin.sin_family != AF_INET ||
			(ntohl(sin.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET ||
			sin.sin_addr.s_addr == htonl(INADDR_ANY))
			continue;
		*addr = sin.sin_addr;
		return 0;
	}
	return -EADDRNOTAVAIL;
}

void endpoint_own_address(const char *peer, char *out, size_t size)
{
	struct in_addr addr = {.s_addr = htonl(INADDR_LOOPBACK)};

	if (source_towards(peer, &addr) < 0)
		first_interface(&addr);
	inet_ntop(AF_INET, &addr, out, (socklen_t)size);
}

/* FNV-1a with a final mix: the low bits of plain FNV of similar texts are too alike. */
static uint64_t weight(const char *endpoint, const char *key)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (const char *p = endpoint; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3ull;
	h = (h ^ 0xff) * 0x100000001b3ull;
	for (const char *p = key; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3ull;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	return h ^ (h >> 33);
}

void endpoints_rank(const struct endpoints *list, const char *key, size_t *order)
{
	uint64_t w[ENDPOINTS_MAX];

	for (size_t i = 0; i < list->count; i++) {
		size_t at = i;

		w[i] = weight(list->item[i].text, key);
		for (; at > 0 && w[order[at - 1]] < w[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}
