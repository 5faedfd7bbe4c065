/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile and copy_file_range. */
#include "tests/guest/guest.h"

#include <sys/sendfile.h>

int main(void)
{
	static char data[100000], back[100000];
	off_t off = 10, off2 = 5;
	int in = open("in", O_RDWR | O_CREAT, 0600), out = open("out", O_RDWR | O_CREAT, 0600),
	    p[2];

	NEED(pipe(p) == 0);
	fill_pattern(data, sizeof(data), 3);
	NEED(write(in, data, sizeof(data)) == sizeof(data));
	SHOW(lseek(in, 0, SEEK_SET));
	SHOW(sendfile(out, in, NULL, 60000));
	SHOW(sendfile(out, in, NULL, 60000));
	SHOW(sendfile(out, in, NULL, 60000));
	SHOW(pread(out, back, sizeof(back), 0));
	ASK(memcmp(data, back, sizeof(data)) == 0);
	SHOW(sendfile(p[1], in, &off, 1000));
	SHOW(off);
	SHOW(read(p[0], back, 2000));
	ASK(memcmp(data + 10, back, 1000) == 0);
	SHOW(sendfile(p[1], p[0], NULL, 10));
	SHOW(sendfile(out, 999, NULL, 10));
	SHOW(sendfile(999, in, NULL, 10));
	off = -1;
	SHOW(sendfile(out, in, &off, 10));
	off = 0;
	SHOW(ftruncate(out, 0));
	SHOW(copy_file_range(in, &off, out, &off2, 5000, 0));
	SHOW(off);
	SHOW(off2);
	SHOW(pread(out, back, sizeof(back), 0));
	ASK(all_bytes(back, 5, 0) && memcmp(back + 5, data, 5000) == 0);
	SHOW(copy_file_range(in, &off, out, &off2, 10, 1));
	return 0;
}
