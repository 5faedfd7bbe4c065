/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed and, after a while, goes back to the machine: what is kept stays, what comes anew is zero. */
#include "tests/guest/guest.h"

#define BYTES (24ul << 20)
#define KEEP  (BYTES / PAGE / 64) /* every 64th page stays */

static unsigned char *map(void)
{
	unsigned char *p =
		mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	return p;
}

static bool kept(const unsigned char *p)
{
	for (size_t i = 0; i < KEEP; i++) {
		if (!all_bytes(p + i * 64 * PAGE, PAGE, (unsigned char)(i + 1)))
			return false;
	}
	return true;
}

int main(void)
{
	unsigned char *p = map(), *q;

	for (size_t i = 0; i < BYTES / PAGE; i++)
		memset(p + i * PAGE, (int)(i / 64 + 1), PAGE);
	for (size_t i = 0; i < KEEP; i++)
		NEED(munmap(p + (i * 64 + 1) * PAGE, 63 * PAGE) == 0);
	sleep_ms(900);
	ASK(kept(p));
	q = map();
	ASK(all_bytes(q, BYTES, 0));
	memset(q, 0xee, BYTES);
	ASK(kept(p) && all_bytes(q, BYTES, 0xee));
	SHOW(madvise(q, BYTES, MADV_DONTNEED));
	sleep_ms(900);
	ASK(kept(p) && all_bytes(q, BYTES, 0));
	return 0;
}
