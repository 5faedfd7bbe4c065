/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/p9/msg.h"

#include <errno.h>
#include <string.h>

/* Integers are little-endian, as the machine is. */
static void get(struct p9_in *in, void *to, size_t n)
{
	if (in->bad || (size_t)(in->end - in->at) < n) {
		in->bad = true;
		memset(to, 0, n);
		return;
	}
	memcpy(to, in->at, n);
	in->at += n;
}

uint8_t p9_get8(struct p9_in *in)
{
	uint8_t v;

	get(in, &v, sizeof(v));
	return v;
}

uint16_t p9_get16(struct p9_in *in)
{
	uint16_t v;

	get(in, &v, sizeof(v));
	return v;
}

uint32_t p9_get32(struct p9_in *in)
{
	uint32_t v;

	get(in, &v, sizeof(v));
	return v;
}

uint64_t p9_get64(struct p9_in *in)
{
	uint64_t v;

	get(in, &v, sizeof(v));
	return v;
}

/* The bytes of a string, which stay where they are; NULL when there are not that many. */
static const uint8_t *string_at(struct p9_in *in, uint16_t *len)
{
	const uint8_t *at;

	*len = p9_get16(in);
	if (in->bad || in->end - in->at < *len) {
		in->bad = true;
		return NULL;
	}
	at = in->at;
	in->at += *len;
	return at;
}

void p9_get_string(struct p9_in *in, char *text, uint32_t max)
{
	uint16_t len;
	const uint8_t *at = string_at(in, &len);

	text[0] = '\0';
	if (!at || len > max || memchr(at, 0, len)) {
		in->bad = true;
		return;
	}
	memcpy(text, at, len);
	text[len] = '\0';
}

int p9_get_name(struct p9_in *in, char name[P9_NAME_MAX + 1])
{
	uint16_t len;
	const uint8_t *at = string_at(in, &len);

	name[0] = '\0';
	if (!at || memchr(at, 0, len)) {
		in->bad = true;
		return -EINVAL;
	}
	if (len > P9_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, at, len);
	name[len] = '\0';
	if (len == 0 || memchr(at, '/', len) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -ENOENT;
	return 0;
}

static void put(struct p9_out *out, const void *from, size_t n)
{
	if (out->full || (size_t)(out->end - out->at) < n) {
		out->full = true;
		return;
	}
	memcpy(out->at, from, n);
	out->at += n;
}

void p9_put8(struct p9_out *out, uint8_t value)
{
	put(out, &value, sizeof(value));
}

void p9_put16(struct p9_out *out, uint16_t value)
{
	put(out, &value, sizeof(value));
}

void p9_put32(struct p9_out *out, uint32_t value)
{
	put(out, &value, sizeof(value));
}

void p9_put64(struct p9_out *out, uint64_t value)
{
	put(out, &value, sizeof(value));
}

void p9_put_string(struct p9_out *out, const char *text, uint32_t len)
{
	if (len > UINT16_MAX) {
		out->full = true;
		return;
	}
	p9_put16(out, (uint16_t)len);
	put(out, text, len);
}

void p9_put_qid(struct p9_out *out, const struct p9_qid *qid)
{
	p9_put8(out, qid->type);
	p9_put32(out, qid->version);
	p9_put64(out, qid->path);
}
