/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues: names, attributes, descriptors that are not, bad pointers. */
#include "tests/guest/limited.h"

#include <mqueue.h>

static char text[8192];

static void opens(void)
{
	struct mq_attr none = {0}, big = {.mq_maxmsg = 65537, .mq_msgsize = 1},
		       wide = {.mq_maxmsg = 1, .mq_msgsize = (16 << 20) + 1},
		       much = {.mq_maxmsg = 100, .mq_msgsize = 10000},
		       minus = {.mq_maxmsg = -1, .mq_msgsize = 1},
		       three = {.mq_maxmsg = 3, .mq_msgsize = 16};
	char name[300];

	RAW(mq_open, "q", O_RDWR, 0600, NULL);
	RAW(mq_open, "", O_RDWR | O_CREAT, 0600, NULL);
	RAW(mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL);
	RAW(mq_open, "/q", O_RDWR | O_CREAT, 0600, NULL);
	RAW(mq_open, ".", O_RDWR | O_CREAT, 0600, NULL);
	RAW(mq_open, "..", O_RDWR, 0600, NULL);
	RAW(mq_open, BAD_PTR, O_RDWR | O_CREAT, 0600, NULL);
	RAW(mq_open, "q", O_RDWR | O_CREAT, 0600, BAD_PTR);
	memset(name, 'n', sizeof(name));
	name[256] = 0;
	RAW(mq_open, name, O_RDWR | O_CREAT, 0600, NULL);
	name[255] = 0;
	SHOW_OK(syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0600, NULL));
	RAW(mq_unlink, name);
	RAW(mq_open, "q", O_RDWR | O_CREAT, 0600, &none);
	RAW(mq_open, "q", O_RDWR | O_CREAT, 0600, &big);
	RAW(mq_open, "q", O_RDWR | O_CREAT, 0600, &wide);
	RAW(mq_open, "q", O_RDWR | O_CREAT, 0600, &much);
	RAW(mq_open, "q", O_RDWR | O_CREAT, 0600, &minus);
	SHOW_OK(syscall(SYS_mq_open, "q", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &three));
	RAW(mq_open, "q", O_RDWR | O_CREAT | O_EXCL, 0600, &three);
	RAW(mq_open, "q", O_RDWR | O_WRONLY, 0600, NULL);
	SHOW_OK(syscall(SYS_mq_open, "q", O_RDONLY, 0, NULL));
	SHOW_OK(syscall(SYS_mq_open, "q", O_WRONLY | O_CREAT, 0, &none));
	RAW(mq_unlink, "");
	RAW(mq_unlink, "/q");
	RAW(mq_unlink, "nothing");
	RAW(mq_unlink, BAD_PTR);
}

static void transfers(int both, int rd, int wr)
{
	struct timespec bad = {0, 1000000000}, past = {0, 0}, minus = {-1, 0};
	unsigned prio = 0;

	RAW(mq_timedsend, both, text, 17, 0, NULL);
	RAW(mq_timedsend, both, text, 16, 32768, NULL);
	RAW(mq_timedsend, both, BAD_PTR, 16, 0, NULL);
	RAW(mq_timedsend, both, text, 1, 0, BAD_PTR);
	RAW(mq_timedsend, both, text, 1, 0, &bad);
	RAW(mq_timedsend, both, text, 1, 0, &minus);
	RAW(mq_timedsend, rd, text, 1, 0, NULL);
	RAW(mq_timedsend, -1, text, 1, 0, NULL);
	RAW(mq_timedsend, 1, text, 1, 0, NULL);
	RAW(mq_timedsend, both, text, 16, 32767, NULL);
	RAW(mq_timedsend, both, text, 0, 1, &past);
	RAW(mq_timedsend, wr, text, 3, 1, NULL);
	RAW(mq_timedsend, both, text, 3, 1, NULL);
	RAW(mq_timedsend, wr, text, 3, 1, &past);
	RAW(mq_timedreceive, both, text, 15, &prio, NULL);
	RAW(mq_timedreceive, wr, text, 16, &prio, NULL);
	RAW(mq_timedreceive, 1, text, 16, &prio, NULL);
	RAW(mq_timedreceive, rd, text, 16, &prio, &bad);
	RAW(mq_timedreceive, rd, text, 16, &prio, BAD_PTR);
	RAW(mq_timedreceive, rd, text, 16, &prio, &past);
	say("%u\n", prio);
	RAW(mq_timedreceive, rd, text, 16, BAD_PTR, NULL);
	RAW(mq_timedreceive, rd, BAD_KERNEL, 16, NULL, NULL);
	RAW(mq_timedreceive, both, text, 16, NULL, NULL);
	RAW(mq_timedreceive, rd, text, 16, NULL, &past);
}

static void attributes(int both)
{
	struct mq_attr a = {.mq_flags = O_NONBLOCK | O_APPEND}, old = {0};

	RAW(mq_getsetattr, both, &a, &old);
	RAW(mq_getsetattr, 1, NULL, &old);
	RAW(mq_getsetattr, both, BAD_PTR, NULL);
	RAW(mq_getsetattr, both, NULL, BAD_PTR);
	a.mq_flags = 0;
	a.mq_maxmsg = 99;
	RAW(mq_getsetattr, both, &a, &old);
	say("%lo %ld %ld %ld\n", old.mq_flags, old.mq_maxmsg, old.mq_msgsize, old.mq_curmsgs);
	RAW(mq_getsetattr, both, NULL, &old);
	say("%lo %ld %ld %ld\n", old.mq_flags, old.mq_maxmsg, old.mq_msgsize, old.mq_curmsgs);
}

static void as_file(int both)
{
	struct stat st;
	char line[100] = "";
	int bare;

	SHOW(fstat(both, &st));
	say("mode %o size %ld\n", st.st_mode, (long)st.st_size);
	SHOW(read(both, line, sizeof(line) - 1));
	say("%s", line);
	SHOW(write(both, line, 1));
	SHOW(fchmod(both, 0640));
	SHOW(fstat(both, &st));
	say("mode %o\n", st.st_mode);
	SHOW(ftruncate(both, 0));
	SHOW(fcntl(both, F_GETFD));
	SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, both, 0));
	bare = (int)syscall(SYS_mq_open, "bare", O_RDWR | O_CREAT, 0, NULL);
	ASK(bare >= 0);
	SHOW(mq_unlink("/bare"));
	SHOW(mq_send(bare, "x", 1, 5));
	SHOW(close(bare));
	SHOW_OK(mq_open("/bare", O_RDWR));
}

int main(void)
{
	obey_limits();
	opens();
	transfers(4, 5, 6);
	attributes(4);
	as_file(4);
	SHOW(mq_unlink("/q"));
	SHOW(mq_unlink("/q"));
	return 0;
}
