/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fn/head.h"

#include "lib/util.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const of_connection[] = {"Connection", "Keep-Alive", "Proxy-Connection",
	"Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding",
	"Upgrade"};

static const char token_chars[] = "!#$%&'*+-.^_`|~0123456789"
				  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

void fn_connection_add(struct fn_connection *c, const char *value)
{
	size_t used = strlen(c->text);
	int n = snprintf(c->text + used, sizeof(c->text) - used, ",%s", value);

	c->cut |= n < 0 || (size_t)n >= sizeof(c->text) - used;
}

static bool is_listed(const struct fn_connection *c, const char *name)
{
	size_t len = strlen(name);
	const char *s = c->text;

	while (*s) {
		size_t n;

		s += strspn(s, ", \t");
		n = strcspn(s, ", \t");
		if (n == len && strncasecmp(s, name, n) == 0)
			return true;
		s += n;
	}
	return false;
}

static bool is_header_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool is_clean(const char *name, const char *value)
{
	size_t len = strspn(name, token_chars);

	if (!len || name[len])
		return false;
	for (const char *p = value; *p; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return false;
	}
	return true;
}

static bool passes(const struct fn_connection *c, const char *name, const char *value)
{
	return !c->cut && is_clean(name, value) &&
		!is_header_of(name, of_connection, ARRAY_SIZE(of_connection)) &&
		!is_listed(c, name);
}

bool fn_passes_up(const struct fn_connection *c, const char *name, const char *value, bool token)
{
	static const char *const ours[] = {"Content-Length", "Expect", "Via", "X-Forwarded-For",
		"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded"};

	/* Without a value libcurl would leave it out. */
	if (!value[0] || !passes(c, name, value) || is_header_of(name, ours, ARRAY_SIZE(ours)))
		return false;
	return !token || strcasecmp(name, "Authorization") != 0;
}

bool fn_passes_down(const struct fn_connection *c, const char *name, const char *value)
{
	static const char *const ours[] = {
		"Content-Length", "X-Uigniter-Start", "X-Uigniter-Instance"};

	return passes(c, name, value) && !is_header_of(name, ours, ARRAY_SIZE(ours));
}

bool fn_target_is_valid(const char *target)
{
	for (const char *p = target; *p; p++) {
		if (*p <= 0x20 || *p >= 0x7f)
			return false;
	}
	return *target == '/';
}

bool fn_method_is_valid(const char *method)
{
	size_t len = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return len > 0 && len <= 16 && !method[len] && strcmp(method, "CONNECT") != 0 &&
		strcmp(method, "TRACE") != 0;
}

bool fn_method_is_idempotent(const char *method)
{
	static const char *const idempotent[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};

	return is_one_of(method, idempotent, ARRAY_SIZE(idempotent));
}

bool fn_target_behind(const char *target, unsigned segments, char *out, size_t size)
{
	const char *s = target;
	int n;

	if (strncasecmp(s, "http://", 7) == 0)
		s += 7 + strcspn(s + 7, "/?#");
	for (unsigned i = 0; i < segments && *s == '/'; i++)
		s += 1 + strcspn(s + 1, "/?#");
	n = snprintf(out, size, "%s%.*s", *s == '/' ? "" : "/", (int)strcspn(s, "#"), s);
	return n >= 0 && (size_t)n < size;
}
