/* SPDX-License-Identifier: Apache-2.0 */
/* What is made in a directory with S_ISGID: its group, and who may make a file with the bit; the umask comes after that. */
#include "tests/guest/guest.h"

#include <sys/sysmacros.h>

static void show(const char *name)
{
	struct stat st;

	NEED(stat(name, &st) == 0);
	say("%s %o group %u\n", name, st.st_mode & 07777, st.st_gid);
	NEED((S_ISDIR(st.st_mode) ? rmdir(name) : unlink(name)) == 0);
}

static void make(mode_t mask)
{
	say("umask %o\n", mask);
	umask(mask);
	NEED(close(open("d/open", O_CREAT | O_WRONLY, 02777)) == 0);
	show("d/open");
	NEED(close(open("d/plain", O_CREAT | O_WRONLY, 02767)) == 0);
	show("d/plain");
	NEED(mknod("d/node", S_IFREG | 02777, 0) == 0);
	show("d/node");
	NEED(mkfifo("d/fifo", 02777) == 0);
	show("d/fifo");
	NEED(mkdir("d/dir", 02777) == 0);
	show("d/dir");
}

int main(void)
{
	NEED(mkdir("d", 0777) == 0 && chmod("d", 02777) == 0 && chown("d", 1000, 2000) == 0);
	NEED(chmod("d", 02777) == 0);
	say("-- root\n");
	make(0);
	say("-- another user, not of the group\n");
	NEED(syscall(SYS_setgroups, 0, NULL) == 0);
	NEED(syscall(SYS_setresgid, 1000, 1000, 1000) == 0);
	NEED(syscall(SYS_setresuid, -1, 1000, -1) == 0);
	make(0);
	make(010);
	say("-- of the group\n");
	NEED(syscall(SYS_setresuid, -1, 0, -1) == 0);
	NEED(syscall(SYS_setresgid, 2000, 2000, 2000) == 0);
	NEED(syscall(SYS_setresuid, -1, 1000, -1) == 0);
	make(0);
	return 0;
}
