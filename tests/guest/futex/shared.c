/* SPDX-License-Identifier: Apache-2.0 */
/* Words in shared mappings: two addresses of one file page are one futex, private ones are two. */
#include "tests/guest/guest.h"

#include "tests/guest/futex.h"

static uint32_t *a, *b;
static int r = -1;
static void *waiter(void *arg)
{
	struct timespec far = {100, 0};

	r = (int)syscall(SYS_futex, a, FUTEX_WAIT, 0, &far, NULL, 0);
	return NULL;
}
int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	long n = 0;
	pthread_t t;

	NEED(ftruncate(fd, (off_t)PAGE) == 0);
	a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(a != MAP_FAILED && b != MAP_FAILED && a != b);
	t = start_thread(waiter, NULL);
	while (n == 0) { /* for ever, if the two are not one word */
		sleep_ms(1);
		n = syscall(SYS_futex, b, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	pthread_join(t, NULL);
	say("woke %ld, waiter %d\n", n, r);
	return 0;
}
