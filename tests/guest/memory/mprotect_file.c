/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping of a file gets no more rights than its descriptor gave. */
#include "tests/guest/guest.h"

#define MAP(prot, kind, fd) mmap(NULL, PAGE, prot, kind, fd, 0)
int main(void)
{
	int rw = open("file", O_RDWR | O_CREAT, 0600), ro;
	char *a, *b, *c, byte = 0;

	NEED(rw >= 0 && write(rw, "text", 4) == 4);
	ro = open("file", O_RDONLY);
	a = MAP(PROT_READ, MAP_SHARED, ro);
	b = MAP(PROT_READ, MAP_PRIVATE, ro);
	c = MAP(PROT_READ, MAP_SHARED, rw);
	NEED(a != MAP_FAILED && b != MAP_FAILED && c != MAP_FAILED);
	close(ro);
	close(rw);
	SHOW(mprotect(a, PAGE, PROT_READ | PROT_WRITE));
	SHOW(mprotect(b, PAGE, PROT_READ | PROT_WRITE));
	SHOW(mprotect(c, PAGE, PROT_READ | PROT_WRITE));
	b[0] = 'B';
	say("%.4s %.4s %.4s\n", a, b, c);
	c[0] = 'C';
	say("%.4s %.4s %.4s\n", a, b, c);
	ro = open("file", O_RDONLY);
	SHOW(pread(ro, &byte, 1, 0));
	say("%c\n", byte);
	return 0;
}
