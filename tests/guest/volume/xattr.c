/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes of files and folders that may lie elsewhere: values of all sizes, names, flags, what other kinds of files say. */
#include "tests/guest/guest.h"

#include <sys/xattr.h>

static char big[65537], buf[65537];

static void names(const char *path)
{
	ssize_t n = listxattr(path, buf, sizeof(buf));
	unsigned count = 0, known = 0;

	for (char *name = buf; name < buf + n; name += strlen(name) + 1) {
		count++;
		known += !strcmp(name, "user.a") || !strcmp(name, "user.empty") ||
			!strcmp(name, "user.more");
	}
	say("%s: %zd bytes, %u names, %u of them known\n", path, n, count, known);
}

static void values(void)
{
	SHOW(getxattr("f", "user.a", buf, 10));
	SHOW(listxattr("f", buf, 10));
	SHOW(removexattr("f", "user.a"));
	SHOW(setxattr("f", "user.a", "v", 1, XATTR_REPLACE));
	SHOW(setxattr("f", "user.a", "value", 5, XATTR_CREATE));
	SHOW(setxattr("f", "user.a", "other", 5, XATTR_CREATE));
	SHOW(getxattr("f", "user.a", NULL, 0));
	SHOW(getxattr("f", "user.a", buf, 4));
	SHOW(getxattr("f", "user.a", buf, 10));
	say("%.5s\n", buf);
	SHOW(setxattr("f", "user.a", "no", 2, XATTR_REPLACE));
	SHOW(getxattr("f", "user.a", buf, 10));
	SHOW(setxattr("f", "user.empty", NULL, 0, 0));
	SHOW(getxattr("f", "user.empty", buf, 10));
	SHOW(setxattr("f", "user.empty", "", 0, XATTR_REPLACE));
	SHOW(setxattr("f", "user.none", "", 0, XATTR_REPLACE));
	SHOW(setxattr("f", "user.empty", "", 0, XATTR_REPLACE | XATTR_CREATE));
	names("f");
	fill_pattern(big, sizeof(big), 7);
	SHOW(setxattr("f", "user.more", big, 10000, 0));
	SHOW(getxattr("f", "user.more", buf, sizeof(buf)));
	ASK(!memcmp(big, buf, 10000));
	RAW(getxattr, "f", "user.more", BAD_PTR, 10000);
	SHOW(setxattr("f", "user.more", big, 65537, 0));
	SHOW(setxattr("f", "user.more", big, 1, 4));
	names("f");
	SHOW(listxattr("f", NULL, 0));
	SHOW(listxattr("f", buf, 3));
	RAW(listxattr, "f", BAD_PTR, 100);
	SHOW(removexattr("f", "user.a"));
	SHOW(removexattr("f", "user.a"));
	names("f");
}

static void kinds(void)
{
	int fd = open("f", O_RDONLY);

	SHOW(fsetxattr(fd, "user.a", "by descriptor", 13, 0));
	SHOW(unlink("f"));
	SHOW(fgetxattr(fd, "user.a", buf, 100));
	SHOW(fremovexattr(fd, "user.a"));
	SHOW(setxattr("d", "user.a", "dir", 3, 0));
	SHOW(rename("d", "d2"));
	SHOW(getxattr("d2", "user.a", buf, 10));
	SHOW(lsetxattr("link", "user.a", "v", 1, 0));
	SHOW(lgetxattr("link", "user.a", buf, 1));
	SHOW(setxattr("fifo", "user.a", "v", 1, 0));
	SHOW(setxattr("d2", "user.", "v", 1, 0));
	SHOW(setxattr("d2", "other.a", "v", 1, 0));
	SHOW(setxattr("d2", "", "v", 1, 0));
	SHOW(getxattr("d2", "other.a", buf, 1));
}

int main(void)
{
	NEED(close(open("f", O_CREAT | O_RDWR, 0644)) == 0 && mkdir("d", 0755) == 0);
	NEED(symlink("f", "link") == 0 && mkfifo("fifo", 0600) == 0);
	values();
	kinds();
	return 0;
}
