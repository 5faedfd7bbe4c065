/* SPDX-License-Identifier: Apache-2.0 */
/* Which registry an address means: the one table of schemes. */
#include "services/common/registry_backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct scheme {
	const char *name;
	const struct registry_backend *backend;
	unsigned int port;
	bool numeric; /* its client looks no names up */
} schemes[] = {
	{"http://", &registry_kvstore, 9000},
	{"kvstore://", &registry_kvstore, 9000},
	{"memcached://", &registry_memcached, 11211, true},
	{"etcd://", &registry_etcd, 2379},
};

static int finish(
	const struct scheme *s, const char *host, struct registry_address *out, struct err *err)
{
	char text[ENDPOINT_BYTES + 16];
	int len = (int)strlen(host);
	struct in_addr unused;
	int r;

	if (len && host[len - 1] == '/')
		len--;
	/* An address of IPv6 stands in brackets: a colon behind them, or the only one, is the port's. */
	if (memchr(host, ':', (size_t)len) && host[len - 1] != ']')
		snprintf(text, sizeof(text), "%.*s", len, host);
	else
		snprintf(text, sizeof(text), "%.*s:%u", len > ENDPOINT_BYTES ? ENDPOINT_BYTES : len,
			host, s->port);
	r = endpoint_parse(text, &out->at, err);
	if (r < 0)
		return r;
	if (s->numeric && strcmp(out->at.host, "localhost") == 0)
		snprintf(out->at.host, sizeof(out->at.host), "127.0.0.1");
	snprintf(out->at.text, sizeof(out->at.text), "%s:%u", out->at.host, out->at.port);
	if (s->numeric && inet_pton(AF_INET, out->at.host, &unused) != 1)
		return err_set(
			err, EINVAL, "\"%.100s\" needs a numeric IPv4 address, or localhost", host);
	out->backend = s->backend;
	snprintf(out->text, sizeof(out->text), "%s%s", s->name, out->at.text);
	return 0;
}

int registry_address_parse(const char *text, struct registry_address *out, struct err *err)
{
	struct registry_address address = {0};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i].name);

		if (strncasecmp(text, schemes[i].name, n) != 0)
			continue;
		if (strncasecmp(text + n, "http://", 7) == 0)
			break;
		r = finish(&schemes[i], text + n, &address, err);
		if (r == 0)
			*out = address;
		return r;
	}
	if (strstr(text, "://"))
		return err_set(err, EINVAL,
			"\"%.100s\" is no registry (kvstore://, memcached:// or "
			"etcd://HOST[:PORT])",
			text);
	r = endpoint_parse(text, &address.at, err);
	if (r < 0)
		return r;
	address.backend = &registry_kvstore;
	snprintf(address.text, sizeof(address.text), "http://%s", address.at.text);
	*out = address;
	return 0;
}
