/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on one file from several instances (tests/guest/lock-test): hold takes some and keeps them until the file "release" is there, ask says
 * what it meets, and then waits for them. Without an argument it is both, one after the other.
 */
#include "tests/guest/guest.h"

#include <sys/file.h>

static int fd;

static int lock(int cmd, int type, long start, long len, struct flock *l)
{
	*l = (struct flock){
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
	return fcntl(fd, cmd, l);
}

static void wait_for(const char *name)
{
	while (access(name, F_OK) < 0)
		sleep_ms(5);
}

static void hold(bool release)
{
	struct flock l;

	SHOW(lock(F_SETLK, F_WRLCK, 10, 10, &l));
	SHOW(lock(F_SETLK, F_RDLCK, 100, 0, &l));
	SHOW(flock(open("whole", O_RDWR | O_CREAT, 0600), LOCK_EX));
	NEED(close(open("held", O_RDWR | O_CREAT, 0600)) == 0);
	if (release)
		wait_for("release");
}

static void ask(void)
{
	int whole = open("whole", O_RDWR | O_CREAT, 0600);
	struct flock l;

	wait_for("held");
	SHOW(lock(F_SETLK, F_WRLCK, 0, 10, &l));
	SHOW(lock(F_SETLK, F_RDLCK, 15, 1, &l));
	SHOW(lock(F_GETLK, F_WRLCK, 0, 0, &l));
	say("type %d, %ld %ld\n", l.l_type, (long)l.l_start, (long)l.l_len);
	SHOW(lock(F_SETLK, F_RDLCK, 200, 5, &l));
	SHOW(lock(F_SETLK, F_WRLCK, 300, 5, &l));
	SHOW(lock(F_GETLK, F_RDLCK, 300, 5, &l));
	say("type %d\n", l.l_type);
	SHOW(flock(whole, LOCK_SH | LOCK_NB));
	NEED(close(open("asked", O_RDWR | O_CREAT, 0600)) == 0);
	SHOW(lock(F_SETLKW, F_WRLCK, 0, 0, &l));
	SHOW(flock(whole, LOCK_EX));
	SHOW(lock(F_SETLK, F_UNLCK, 0, 0, &l));
}

int main(int argc, char **argv)
{
	fd = open("locked", O_RDWR | O_CREAT, 0600);
	NEED(fd >= 0);
	if (argc < 2 || !strcmp(argv[1], "hold"))
		hold(argc > 1);
	if (argc > 1 && !strcmp(argv[1], "ask"))
		ask();
	return 0;
}
