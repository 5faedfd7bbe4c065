/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages (RFC 1035, EDNS of RFC 6891), as much of them as a server of a few names needs: a question is read, an answer is
 * written. Questions come from instances, which are hostile: every length is checked against the message, no name is
 * compressed in a question, nothing is followed. A general library (ldns) would parse all kinds of records of
 * theirs as root; here it is one name, a type, a class.
 */
#ifndef DAEMON_NETWORK_DNS_MSG_H
#define DAEMON_NETWORK_DNS_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER_BYTES 12
#define DNS_UDP_BYTES                                                                              \
	512 /* of an answer, where the question does not say that more can be taken (RFC 1035 4.2.1) */
#define DNS_UDP_MAX_BYTES 1232 /* more is not sent by UDP: what fits in any packet of IPv6 */
#define DNS_TCP_MAX_BYTES 65535
#define DNS_QUERY_MAX     1232 /* bytes of a question, also by TCP */
#define DNS_NAME_BYTES    256  /* of a name as text, with its NUL */
#define DNS_ADDRESSES_MAX 1024 /* of one name: a bridge has 1,023 ports */
#define DNS_TTL_S         0    /* answers follow starts and ends at once */

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16
};

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41, DNS_ANY = 255 };

struct dns_query {
	uint16_t id;
	uint16_t flags; /* of the question */
	uint16_t type;
	bool edns;
	size_t answer_max;     /* bytes that a UDP answer may have */
	size_t question_bytes; /* behind the header; 0: it could not be read */
	char name
		[DNS_NAME_BYTES]; /* lower case, "." between labels; bytes that no name of ours has are '?' */
};

/* What is known of a name. */
struct dns_set {
	unsigned count, count6;
	uint32_t ip[DNS_ADDRESSES_MAX]; /* host byte order */
	uint8_t ip6[DNS_ADDRESSES_MAX][16];
	char pointer[DNS_NAME_BYTES]; /* what a PTR answers; "": nothing */
};

/* Reads a question. An enum dns_rcode: what to answer when it is no question that can be served; or -EBADMSG: nothing is to be
 * answered (no whole header, or an answer itself, so that two servers never talk to each other). */
int dns_query_parse(const uint8_t *msg, size_t len, struct dns_query *query);

/* Writes the answer to query, whose message begins at msg: its records of set that are asked for, from number first on and around. What
 * does not fit in max bytes is left out, and said so (TC). set may be NULL. Bytes written: at most max, which has room for
 * DNS_HEADER_BYTES + question_bytes + 11. */
size_t dns_answer(const struct dns_query *query, const uint8_t *msg, int rcode,
	const struct dns_set *set, unsigned first, uint8_t *out, size_t max);

/* "5.0.93.10.in-addr.arpa" -> 10.93.0.5. 0, or -EINVAL when the name is not of this kind. */
int dns_reverse_parse(const char *name, uint32_t *ip);

#endif
