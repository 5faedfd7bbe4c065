/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before what has failed is tried again: not at all after the first failure, then twice as long each time. */
#ifndef DAEMON_RETRY_H
#define DAEMON_RETRY_H

#include <stdint.h>

/* After so many failures in a row; in ns, from first_ns up to max_ns. */
static inline int64_t retry_pause_ns(unsigned failures, int64_t first_ns, int64_t max_ns)
{
	int64_t ns = first_ns;

	if (failures < 2)
		return 0;
	for (unsigned n = 2; n < failures && ns < max_ns; n++)
		ns *= 2;
	return ns < max_ns ? ns : max_ns;
}

#endif
