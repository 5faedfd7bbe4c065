/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network/dns_msg.h"

#include "daemon/network/subnet.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define FLAG_QR        0x8000u
#define FLAG_AA        0x0400u
#define FLAG_TC        0x0200u
#define FLAG_RD        0x0100u
#define FLAG_CD        0x0010u
#define OPCODE(flags)  ((flags) >> 11 & 15)
#define LABEL_MAX      63
#define NAME_MAX_WIRE  255
#define CLASS_IN       1
#define CLASS_ANY      255
#define OPT_BYTES      11 /* root name, type, size, version and flags, no options */
#define RECORD_BYTES   12 /* pointer to the name, type, class, TTL, length */
#define EXTRA_MAX      4  /* records behind the question */
#define NAME_AT_HEADER (0xc000u | DNS_HEADER_BYTES)

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint8_t *put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return p + 2;
}

/* A byte of a label as text: what no name of ours has can not be mistaken for one. */
static char name_byte(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		return (char)c;
	return '?';
}

/* The name at *at, uncompressed. 0, or -EINVAL; *at is behind it. */
static int read_name(const uint8_t *msg, size_t len, size_t *at, char out[DNS_NAME_BYTES])
{
	size_t pos = *at, n = 0, label;

	for (;;) {
		if (pos >= len)
			return -EINVAL;
		label = msg[pos++];
		if (!label)
			break;
		if (label > LABEL_MAX || label > len - pos || pos - *at + label >= NAME_MAX_WIRE)
			return -EINVAL;
		if (n)
			out[n++] = '.';
		for (; label; label--)
			out[n++] = name_byte(msg[pos++]);
	}
	out[n] = '\0';
	*at = pos;
	return 0;
}

static size_t udp_bytes(size_t offered)
{
	if (offered < DNS_UDP_BYTES)
		return DNS_UDP_BYTES;
	return offered < DNS_UDP_MAX_BYTES ? offered : DNS_UDP_MAX_BYTES;
}

/* The records behind the question: EDNS is looked at, others (a signature) are not. */
static int read_extra(
	struct dns_query *q, const uint8_t *msg, size_t len, size_t at, unsigned count)
{
	int rcode = DNS_NOERROR;
	char name[DNS_NAME_BYTES];

	for (; count; count--) {
		const uint8_t *p;
		size_t data;

		if (read_name(msg, len, &at, name) < 0 || len - at < RECORD_BYTES - 2)
			return DNS_FORMERR;
		p = msg + at;
		data = get16(p + 8);
		at += RECORD_BYTES - 2;
		if (data > len - at)
			return DNS_FORMERR;
		at += data;
		if (get16(p) != DNS_OPT)
			continue;
		if (name[0] || q->edns)
			return DNS_FORMERR;
		q->edns = true;
		q->answer_max = udp_bytes(get16(p + 2));
		if (p[5]) /* the version */
			rcode = DNS_BADVERS;
	}
	return at == len ? rcode : DNS_FORMERR;
}

int dns_query_parse(const uint8_t *msg, size_t len, struct dns_query *q)
{
	size_t at = DNS_HEADER_BYTES;
	unsigned class;

	if (len < DNS_HEADER_BYTES || get16(msg + 2) & FLAG_QR)
		return -EBADMSG;
	*q = (struct dns_query){.id = (uint16_t)get16(msg),
		.flags = (uint16_t)get16(msg + 2),
		.answer_max = DNS_UDP_BYTES};
	if (OPCODE(q->flags))
		return DNS_NOTIMP;
	if (len > DNS_QUERY_MAX || get16(msg + 4) != 1 || get16(msg + 6) || get16(msg + 8) ||
		get16(msg + 10) > EXTRA_MAX)
		return DNS_FORMERR;
	if (read_name(msg, len, &at, q->name) < 0 || len - at < 4)
		return DNS_FORMERR;
	q->type = (uint16_t)get16(msg + at);
	class = get16(msg + at + 2);
	at += 4;
	q->question_bytes = at - DNS_HEADER_BYTES;
	if (class != CLASS_IN && class != CLASS_ANY)
		return DNS_REFUSED;
	return read_extra(q, msg, len, at, get16(msg + 10));
}

/* --- answers --------------------------------------------------------------------------------------------------- */
struct writer {
	uint8_t *at, *end;
	unsigned count;
	bool full;
};

static void put_record(struct writer *w, unsigned type, const void *data, size_t len)
{
	if (w->full || (size_t)(w->end - w->at) < RECORD_BYTES + len) {
		w->full = true;
		return;
	}
	w->at = put16(w->at, NAME_AT_HEADER);
	w->at = put16(w->at, type);
	w->at = put16(w->at, CLASS_IN);
	w->at = put16(w->at, 0);
	w->at = put16(w->at, DNS_TTL_S);
	w->at = put16(w->at, (unsigned)len);
	memcpy(w->at, data, len);
	w->at += len;
	w->count++;
}

static void put_addresses(struct writer *w, const struct dns_set *set, unsigned first)
{
	for (unsigned i = 0; i < set->count; i++) {
		uint32_t ip = set->ip[(first + i) % set->count];
		uint8_t bytes[4];

		put16(put16(bytes, ip >> 16), ip & 0xffff);
		put_record(w, DNS_A, bytes, sizeof(bytes));
	}
}

static void put_addresses6(struct writer *w, const struct dns_set *set, unsigned first)
{
	for (unsigned i = 0; i < set->count6; i++)
		put_record(w, DNS_AAAA, set->ip6[(first + i) % set->count6], sizeof(set->ip6[0]));
}

static void put_pointer(struct writer *w, const char *name)
{
	uint8_t data[DNS_NAME_BYTES + 1];
	size_t n = 0;

	while (*name) {
		size_t label = strcspn(name, ".");

		if (!label || label > LABEL_MAX || n + label + 2 > sizeof(data))
			return; /* no name of DNS */
		data[n++] = (uint8_t)label;
		memcpy(data + n, name, label);
		n += label;
		name += label + (name[label] == '.');
	}
	data[n++] = 0;
	put_record(w, DNS_PTR, data, n);
}

static void put_set(struct writer *w, unsigned type, const struct dns_set *set, unsigned first)
{
	if (type == DNS_A || type == DNS_ANY)
		put_addresses(w, set, first);
	if (type == DNS_AAAA || type == DNS_ANY)
		put_addresses6(w, set, first);
	if ((type == DNS_PTR || type == DNS_ANY) && set->pointer[0])
		put_pointer(w, set->pointer);
}

static uint8_t *put_opt(uint8_t *p, int rcode)
{
	*p++ = 0;
	p = put16(p, DNS_OPT);
	p = put16(p, DNS_UDP_MAX_BYTES);
	p = put16(p, (unsigned)rcode >> 4 << 8);
	p = put16(p, 0);
	return put16(p, 0);
}

size_t dns_answer(const struct dns_query *q, const uint8_t *msg, int rcode,
	const struct dns_set *set, unsigned first, uint8_t *out, size_t max)
{
	size_t head = DNS_HEADER_BYTES + q->question_bytes, opt = q->edns ? OPT_BYTES : 0;
	struct writer w = {.at = out + head, .end = out + max - opt};
	unsigned flags = FLAG_QR | FLAG_AA | (q->flags & (0x7800u | FLAG_RD | FLAG_CD));

	assert(max >= head + OPT_BYTES);
	memcpy(out, msg, head);
	if (set && rcode == DNS_NOERROR)
		put_set(&w, q->type, set, first);
	if (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN)
		flags &= ~FLAG_AA;
	put16(out, q->id);
	put16(out + 2, flags | (w.full ? FLAG_TC : 0) | ((unsigned)rcode & 15));
	put16(out + 4, q->question_bytes ? 1 : 0);
	put16(out + 6, w.count);
	put16(out + 8, 0);
	put16(out + 10, q->edns ? 1 : 0);
	if (q->edns)
		w.at = put_opt(w.at, rcode);
	return (size_t)(w.at - out);
}

int dns_reverse_parse(const char *name, uint32_t *ip)
{
	static const char suffix[] = ".in-addr.arpa";
	size_t len = strlen(name);
	char text[IPV4_TEXT_BYTES];
	uint32_t swapped;

	if (len < sizeof(suffix) || strcmp(name + len - (sizeof(suffix) - 1), suffix) != 0)
		return -EINVAL;
	len -= sizeof(suffix) - 1;
	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, name, len);
	text[len] = '\0';
	if (ipv4_parse(text, &swapped) < 0)
		return -EINVAL;
	*ip = __builtin_bswap32(swapped);
	return 0;
}
