/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a question; its answer must fit, and be one. The first byte says how many addresses the name has. */
#include "daemon/network/dns_msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_set set;
	struct dns_query q, back;
	uint32_t ip;
	uint8_t *out;
	size_t n;
	int rcode;

	if (!size)
		return 0;
	set.count = set.count6 = data[0] * 5u;
	strcpy(set.pointer, data[0] & 1 ? "name-1.uigniter" : "");
	data++;
	size--;
	rcode = dns_query_parse(data, size, &q);
	if (rcode < 0)
		return 0;
	if (strnlen(q.name, sizeof(q.name)) == sizeof(q.name) ||
		DNS_HEADER_BYTES + q.question_bytes > size || q.answer_max > DNS_UDP_MAX_BYTES)
		abort();
	dns_reverse_parse(q.name, &ip);
	out = malloc(q.answer_max);
	n = dns_answer(&q, data, rcode, &set, data[0], out, q.answer_max);
	if (n > q.answer_max || n < DNS_HEADER_BYTES || dns_query_parse(out, n, &back) >= 0)
		abort();
	free(out);
	return 0;
}
