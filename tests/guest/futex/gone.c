/* SPDX-License-Identifier: Apache-2.0 */
/* Words that are not there: a shared one must be, for every operation; of a private one only its address counts, unless it is looked at. */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"

#define FUTEX(...) SHOW_WITH(show_value, #__VA_ARGS__, syscall(SYS_futex, __VA_ARGS__))

static void all(uint32_t *gone, uint32_t *w)
{
	struct timespec zero = {0, 0};

	FUTEX(gone, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(gone, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0);
	FUTEX(gone, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1);
	FUTEX(gone, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 1, NULL, NULL, 1);
	FUTEX(gone, FUTEX_WAIT, 0, &zero, NULL, 0);
	FUTEX(gone, FUTEX_WAIT | FUTEX_PRIVATE, 0, &zero, NULL, 0);
	FUTEX(gone, FUTEX_REQUEUE, 1, 1, w, 0);
	FUTEX(w, FUTEX_REQUEUE, 1, 1, gone, 0);
	FUTEX(gone, FUTEX_REQUEUE | FUTEX_PRIVATE, 1, 1, w, 0);
	FUTEX(w, FUTEX_REQUEUE | FUTEX_PRIVATE, 1, 1, gone, 0);
	FUTEX(gone, FUTEX_CMP_REQUEUE, 1, 1, w, 0);
	FUTEX(w, FUTEX_CMP_REQUEUE, 1, 1, gone, 0);
	FUTEX(gone, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, 1, w, 0);
	FUTEX(w, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, 1, gone, 0);
	FUTEX(gone, FUTEX_WAKE_OP, 1, 1, w, 0);
	FUTEX(gone, FUTEX_WAKE_OP | FUTEX_PRIVATE, 1, 1, w, 0);
	FUTEX(w, FUTEX_WAKE_OP, 1, 1, gone, 0);
	FUTEX(w, FUTEX_WAKE_OP | FUTEX_PRIVATE, 1, 1, gone, 0);
}

int main(void)
{
	static uint32_t w;
	uint32_t *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end;
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	NEED(page != MAP_FAILED && fd >= 0);
	end = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(end != MAP_FAILED);
	say("past the end of a file\n");
	FUTEX(end, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(&w, FUTEX_REQUEUE, 1, 1, end, 0);
	NEED(ftruncate(fd, 1) == 0);
	FUTEX(end, FUTEX_WAKE, 1, NULL, NULL, 0);
	FUTEX(&w, FUTEX_REQUEUE, 1, 1, end, 0);
	say("no access\n");
	NEED(mprotect(page, PAGE, PROT_NONE) == 0);
	all(page, &w);
	say("nothing mapped\n");
	NEED(munmap(page, PAGE) == 0);
	all(page, &w);
	return 0;
}
