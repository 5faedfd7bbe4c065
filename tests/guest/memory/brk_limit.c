/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_DATA and RLIMIT_AS bound the break and mappings. */
#include "tests/guest/guest.h"

#include <sys/resource.h>

#define PA (MAP_PRIVATE | MAP_ANONYMOUS)
int main(void)
{
	struct rlimit old, limit;
	char *start = (char *)syscall(SYS_brk, 0);

	NEED(getrlimit(RLIMIT_AS, &old) == 0);
	limit = (struct rlimit){1ul << 20, old.rlim_max};
	SHOW(setrlimit(RLIMIT_AS, &limit));
	SHOW_OK(mmap(NULL, 16ul << 20, PROT_READ, PA, -1, 0));
	ASK((char *)syscall(SYS_brk, start + (16ul << 20)) == start);
	SHOW(setrlimit(RLIMIT_AS, &old));
	SHOW_OK(mmap(NULL, 16ul << 20, PROT_READ, PA, -1, 0));
	ASK((char *)syscall(SYS_brk, start + PAGE) == start + PAGE);
	return 0;
}
