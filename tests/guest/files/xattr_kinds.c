/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes of files, directories and links: errors, sizes, flags, who may. */
#include "tests/guest/guest.h"

#include <sys/xattr.h>

static char big[70000], buf[70000];

static void set_errors(void)
{
	char name[300];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	memcpy(name, "user.", 5);
	RAW(setxattr, "f", BAD_PTR, "v", 1, 0);
	RAW(setxattr, "f", "user.a", BAD_PTR, 1, 0);
	SHOW(setxattr("f", "", "v", 1, 0));
	SHOW(setxattr("f", "user.", "v", 1, 0));
	SHOW(setxattr("f", "user", "v", 1, 0));
	SHOW(setxattr("f", "other.a", "v", 1, 0));
	SHOW(setxattr("f", name, "v", 1, 0));
	name[255] = 0;
	SHOW(setxattr("f", name, "v", 1, 0));
	SHOW(removexattr("f", name));
	SHOW(setxattr("f", "user.a", big, 65537, 0));
	SHOW(setxattr("f", "user.a", "v", 1, 4));
	SHOW(setxattr("f", "user.a", "v", 1, XATTR_REPLACE));
	SHOW(lsetxattr("link", "user.a", "v", 1, 0));
	SHOW(setxattr("fifo", "user.a", "v", 1, 0));
	SHOW(getxattr("fifo", "user.a", buf, 1));
	SHOW(fsetxattr(open("f", O_PATH), "user.a", "v", 1, 0));
}

int main(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);

	NEED(fd >= 0 && mkdir("d", 0755) == 0 && symlink("f", "link") == 0 &&
		mkfifo("fifo", 0600) == 0);
	set_errors();
	say("-- values\n");
	SHOW(setxattr("f", "user.a", "value", 5, XATTR_CREATE));
	SHOW(setxattr("f", "user.a", "value", 5, XATTR_CREATE));
	SHOW(fsetxattr(fd, "user.a", "other", 5, XATTR_REPLACE));
	SHOW(getxattr("link", "user.a", NULL, 0));
	SHOW(getxattr("f", "user.a", buf, 4));
	SHOW(getxattr("f", "user.a", buf, sizeof(buf)));
	say("%.5s\n", buf);
	RAW(getxattr, "f", "user.a", BAD_PTR, 10);
	SHOW(getxattr("f", "user.b", buf, 10));
	SHOW(lgetxattr("link", "user.a", buf, 10));
	SHOW(setxattr("f", "user.b", NULL, 0, 0));
	SHOW(getxattr("f", "user.b", buf, 10));
	SHOW(setxattr("f", "user.b", big, 65536, 0));
	SHOW(getxattr("f", "user.b", buf, sizeof(buf)));
	SHOW(setxattr("d", "user.dir", "d", 1, 0));
	say("-- lists\n");
	SHOW(listxattr("f", NULL, 0));
	SHOW(listxattr("f", buf, 13));
	SHOW(flistxattr(fd, buf, sizeof(buf)));
	ASK(strlen(buf) == 6 && strlen(buf + 7) == 6);
	RAW(listxattr, "f", BAD_PTR, 100);
	SHOW(llistxattr("link", buf, 100));
	SHOW(listxattr("d", buf, 100));
	say("%s\n", buf);
	say("-- removing\n");
	SHOW(removexattr("f", "user.a"));
	SHOW(removexattr("f", "user.a"));
	SHOW(fremovexattr(fd, "user.b"));
	SHOW(listxattr("f", buf, 100));
	SHOW(fsetxattr(fd, "user.kept", "1", 1, 0));
	SHOW(rename("f", "g"));
	SHOW(getxattr("g", "user.kept", buf, 100));
	say("-- another user\n");
	NEED(chmod("g", 0644) == 0 && chmod("d", 0711) == 0);
	NEED(syscall(SYS_setresuid, -1, 1000, -1) == 0);
	SHOW(setxattr("g", "user.kept", "2", 1, 0));
	SHOW(getxattr("g", "user.kept", buf, 100));
	SHOW(getxattr("d", "user.dir", buf, 100));
	SHOW(setxattr("g", "trusted.a", "1", 1, 0));
	SHOW(getxattr("g", "trusted.a", buf, 1));
	SHOW(removexattr("g", "user.kept"));
	return 0;
}
