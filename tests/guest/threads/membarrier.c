/* SPDX-License-Identifier: Apache-2.0 */
/* membarrier: query, registration, refusal. */
#include "tests/guest/guest.h"

#ifndef MEMBARRIER_CMD_QUERY
enum { QUERY = 0, GLOBAL = 1, PRIVATE = 8, REGISTER_PRIVATE = 16 };
#endif
int main(void)
{
	long q = syscall(SYS_membarrier, QUERY, 0, 0);

	ASK(q > 0 && (q & PRIVATE) && (q & REGISTER_PRIVATE));
	RAW(membarrier, PRIVATE, 0, 0);
	RAW(membarrier, REGISTER_PRIVATE, 0, 0);
	RAW(membarrier, PRIVATE, 0, 0);
	RAW(membarrier, GLOBAL, 0, 0);
	RAW(membarrier, QUERY, 1, 0);
	RAW(membarrier, 3, 0, 0);
	RAW(membarrier, -1, 0, 0);
	return 0;
}
