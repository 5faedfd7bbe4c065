/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings of devices and of files that cannot be mapped. */
#include "tests/guest/guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

int main(void)
{
	int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR),
	    proc = open("/proc/self/maps", O_RDONLY);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);

	ASK(p != MAP_FAILED && all_bytes(p, PAGE, 0));
	ASK(q != MAP_FAILED && all_bytes(q, PAGE, 0));
	p[0] = q[0] = 1;
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, eventfd(0, 0), 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, epoll_create1(0), 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, proc, 0));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open(".", O_PATH), 0));
	return 0;
}
