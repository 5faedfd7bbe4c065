/* SPDX-License-Identifier: Apache-2.0 */
/* Owners and modes of what root and another user make, and what they may not do with each other's files. */
#include "tests/guest/guest.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define USER  1000
#define GROUP 2000

/* Raw calls: the C library would go through all threads. */
static void become(uid_t uid)
{
	NEED(syscall(SYS_setresuid, -1, uid, -1) == 0);
}

static void owner(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		say("%s: %s\n", path, errname(errno));
	else
		say("%s: %o %u:%u\n", path, st.st_mode, st.st_uid, st.st_gid);
}

static void file(const char *path, mode_t mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

	NEED(fd >= 0 && write(fd, "x", 1) == 1 && fchmod(fd, mode) == 0);
	close(fd);
}

static void dir(const char *path, mode_t mode)
{
	NEED(mkdir(path, 0700) == 0 && chmod(path, mode) == 0);
}

static void root_makes(void)
{
	dir("p", 0755);
	NEED(chdir("p") == 0);
	file("secret", 0600);
	file("group", 0640);
	file("shared", 0666);
	file("suid", 06755);
	file("tool", 0711);
	dir("closed", 0700);
	file("closed/inside", 0666);
	dir("readable", 0744);
	dir("sticky", 01777);
	file("sticky/root", 0666);
	dir("open", 0777);
	file("open/root", 0600);
	dir("setgid", 02777);
	NEED(chown("setgid", 0, 3000) == 0 && chown("group", 0, GROUP) == 0);
	NEED(syscall(SYS_setresgid, -1, GROUP, -1) == 0);
	NEED(syscall(SYS_setgroups, 1, (gid_t[]){3}) == 0);
}

static void reading(void)
{
	say("-- opening\n");
	SHOW(open("secret", O_RDONLY));
	SHOW_OK(open("group", O_RDONLY));
	SHOW(open("group", O_WRONLY));
	SHOW_OK(open("shared", O_RDWR));
	SHOW(open("shared", O_RDONLY | O_NOATIME));
	SHOW(open("tool", O_RDONLY));
	SHOW(open("tool", O_RDONLY | O_TRUNC));
	SHOW_OK(open("secret", O_PATH));
	SHOW(open("new", O_CREAT | O_WRONLY, 0600));
	SHOW(open("closed/inside", O_RDONLY));
	SHOW(open("closed", O_RDONLY | O_DIRECTORY));
	SHOW(open("readable/x", O_RDONLY));
	SHOW_OK(open("readable", O_RDONLY | O_DIRECTORY));
	SHOW(truncate("secret", 0));
	SHOW(chdir("closed"));
	SHOW(chdir("readable"));
	say("-- access\n");
	SHOW(faccessat(AT_FDCWD, "secret", R_OK, AT_EACCESS));
	SHOW(faccessat(AT_FDCWD, "tool", X_OK, AT_EACCESS));
	RAW(access, "secret", R_OK | W_OK);
	RAW(access, "secret", X_OK);
	RAW(access, "closed/inside", R_OK);
}

static void names(void)
{
	say("-- names\n");
	SHOW(mkdir("d", 0700));
	SHOW(mkdir("closed/d", 0700));
	SHOW(symlink("x", "l"));
	SHOW(link("shared", "shared2"));
	SHOW(unlink("shared"));
	SHOW(rmdir("closed"));
	SHOW(rename("shared", "open/shared"));
	SHOW(rename("open/root", "open/renamed"));
	SHOW(unlink("open/renamed"));
	SHOW(unlink("sticky/root"));
	SHOW(rename("sticky/root", "sticky/mine"));
	SHOW(mknod("open/null", S_IFCHR | 0666, 0x103));
	SHOW(mknod("open/fifo", S_IFIFO | 0644, 0));
	owner("open/fifo");
	file("sticky/user", 0644);
	owner("sticky/user");
	file("setgid/file", 0644);
	owner("setgid/file");
	SHOW(chmod("setgid/file", 02755));
	owner("setgid/file");
	SHOW(mkdir("setgid/dir", 0755));
	owner("setgid/dir");
	SHOW(symlink("x", "open/link"));
	owner("open/link");
	SHOW(rename("sticky/user", "sticky/user2"));
	SHOW(unlink("sticky/user2"));
}

static void attributes(void)
{
	struct timespec set[2] = {{1, 0}, {2, 0}};

	say("-- attributes\n");
	SHOW(chmod("shared", 0644));
	SHOW(chown("shared", USER, -1));
	SHOW(utimensat(AT_FDCWD, "shared", set, 0));
	SHOW(utimensat(AT_FDCWD, "shared", NULL, 0));
	SHOW(utimensat(AT_FDCWD, "secret", NULL, 0));
	file("open/mine", 0600);
	SHOW(chown("open/mine", -1, 3));
	owner("open/mine");
	SHOW(chown("open/mine", -1, 4));
	SHOW(chown("open/mine", 0, -1));
	SHOW(chmod("open/mine", 02770));
	owner("open/mine");
	SHOW(utimensat(AT_FDCWD, "open/mine", set, 0));
	SHOW(chmod("open/mine", 0));
	SHOW(open("open/mine", O_RDONLY));
}

static void others(void)
{
	struct sockaddr_un to = {AF_UNIX, "socket"};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	say("-- others\n");
	RAW(setgroups, 0, NULL);
	SHOW(connect(s, (struct sockaddr *)&to, sizeof(to)));
	RAW(setfsuid, 5);
	RAW(setfsuid, USER);
	RAW(setresuid, 5, -1, -1);
	RAW(setuid, 5);
	SHOW(prctl(PR_SET_SECUREBITS, 1, 0, 0, 0));
	SHOW(prctl(PR_CAPBSET_DROP, 1, 0, 0, 0));
}

int main(void)
{
	struct sockaddr_un name = {AF_UNIX, "socket"};
	int fd, s = socket(AF_UNIX, SOCK_STREAM, 0);

	umask(022);
	root_makes();
	NEED(bind(s, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(s, 1) == 0);
	become(USER);
	reading();
	names();
	attributes();
	others();
	fd = open("shared", O_WRONLY);
	NEED(fd >= 0);
	become(0);
	say("-- root again\n");
	SHOW(access("secret", R_OK | W_OK));
	SHOW(access("secret", X_OK));
	SHOW(chown("open/mine", 7, 8));
	owner("open/mine");
	owner("suid");
	SHOW(chown("suid", 9, 9));
	owner("suid");
	SHOW(chmod("shared", 06777));
	SHOW(write(fd, "x", 1));
	owner("shared");
	become(USER);
	SHOW(write(fd, "x", 1));
	owner("shared");
	become(0);
	RAW(setfsuid, USER);
	RAW(setfsuid, -1);
	SHOW(open("secret", O_RDONLY));
	RAW(setfsuid, 0);
	SHOW_OK(open("secret", O_RDONLY));
	return 0;
}
