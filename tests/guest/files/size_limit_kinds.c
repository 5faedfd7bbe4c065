/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_FSIZE and what else makes files larger; and what is no file and has no size. */
#include "tests/guest/size_limit.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0600), from = open("from", O_CREAT | O_RDWR, 0600),
	    memory = (int)syscall(SYS_memfd_create, "m", 0), null = open("/dev/null", O_WRONLY),
	    p[2], s[2];
	char b[32] = "", *map;
	loff_t in = 0, out = 20;

	NEED(fd >= 0 && memory >= 0 && null >= 0 && write(from, b, 32) == 32 && pipe(p) == 0 &&
		socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	on_signal(SIGXFSZ, handler, 0);
	UNDER(fallocate(fd, 0, 0, 10));
	UNDER(fallocate(fd, 0, 5, 10));
	UNDER(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5, 10));
	UNDER(posix_fallocate(fd, 0, 11) == EFBIG);
	UNDER(pwrite(memory, b, 32, 0));
	UNDER(pwrite(memory, b, 1, 10));
	UNDER(ftruncate(memory, 11));
	UNDER(copy_file_range(from, &in, fd, &out, 4, 0));
	out = 8;
	UNDER(copy_file_range(from, &in, fd, &out, 4, 0));
	NEED(lseek(fd, 10, SEEK_SET) == 10);
	in = 0;
	UNDER(sendfile(fd, from, &in, 4));
	UNDER(write(p[1], b, 32));
	UNDER(write(s[1], b, 32));
	UNDER(write(null, b, 32));
	/* what a mapping writes is within the file's size */
	NEED(ftruncate(fd, 4096) == 0);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(map != MAP_FAILED);
	limit(10);
	map[100] = 'm';
	limit(RLIM_INFINITY);
	SHOW(pread(fd, b, 1, 100));
	ASK(b[0] == 'm');
	return 0;
}
