/* SPDX-License-Identifier: Apache-2.0 */
/* Which advice is known, and what is refused. */
#include "tests/guest/guest.h"

#define TRY(advice) SHOW_WITH(show_value, #advice, madvise(p, PAGE, advice))
int main(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED && munmap(p + 2 * PAGE, PAGE) == 0);
	memset(p, 1, 2 * PAGE);
	TRY(MADV_NORMAL);
	TRY(MADV_RANDOM);
	TRY(MADV_SEQUENTIAL);
	TRY(MADV_WILLNEED);
	TRY(MADV_DONTFORK);
	TRY(MADV_DOFORK);
	TRY(MADV_HUGEPAGE);
	TRY(MADV_NOHUGEPAGE);
	TRY(MADV_DONTDUMP);
	TRY(MADV_DODUMP);
	TRY(18 /* MADV_WIPEONFORK */);
	TRY(19 /* MADV_KEEPONFORK */);
	TRY(20 /* MADV_COLD */);
	TRY(22 /* MADV_POPULATE_READ */);
	TRY(23 /* MADV_POPULATE_WRITE */);
	TRY(MADV_REMOVE);
	TRY(5);
	TRY(-1);
	TRY(9999);
	SHOW(madvise(p + 1, PAGE, MADV_DONTNEED));
	SHOW(madvise(p, 0, MADV_DONTNEED));
	SHOW(madvise(p, 0, 9999));
	SHOW(madvise(p, -1ul, MADV_DONTNEED));
	SHOW(madvise(p, -PAGE, MADV_DONTNEED));
	SHOW(madvise(BAD_KERNEL, PAGE, MADV_DONTNEED));
	SHOW(madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED));
	SHOW(madvise(p + PAGE, 3 * PAGE, MADV_DONTNEED)); /* over the hole: the rest is done */
	ASK(all_bytes(p, PAGE, 1) && all_bytes(p + PAGE, PAGE, 0));
	return 0;
}
