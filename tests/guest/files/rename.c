/* SPDX-License-Identifier: Apache-2.0 */
/* rename(2) and RENAMEAT2(2): every pair of file, folder, full folder and nothing. */
#include "tests/guest/guest.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE  (1 << 1)
#endif

static void make(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void contents(const char *name)
{
	char buf[32];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (fd >= 0)
		close(fd);
	if (n < 0)
		say("  %s: %s\n", name, errname(errno));
	else
		say("  %s: \"%.*s\"\n", name, (int)n, buf);
}

int main(void)
{
	struct stat st;
	int open_fd;

	make("a", "first");
	make("b", "second");
	NEED(mkdir("empty", 0700) == 0 && mkdir("full", 0700) == 0 && mkdir("sub", 0700) == 0);
	make("full/x", "inside");
	open_fd = open("b", O_RDONLY);
	SHOW(rename("a", "b"));
	contents("a");
	contents("b");
	NEED(fstat(open_fd, &st) == 0);
	ASK(st.st_nlink == 0 && st.st_size == 6);
	SHOW(rename("b", "b"));
	SHOW(rename("missing", "b"));
	SHOW(rename("b", "missing/b"));
	SHOW(rename("b", "empty"));
	SHOW(rename("empty", "b"));
	SHOW(rename("b", "b/x"));
	SHOW(rename("sub", "full"));
	SHOW(rename("full", "full/sub"));
	SHOW(rename("full", "full/sub/deeper"));
	SHOW(rename("sub", "."));
	SHOW(rename("sub/..", "x"));
	SHOW(rename("", "x"));
	SHOW(rename("full", "empty"));
	contents("empty/x");
	contents("full/x");
	SHOW(rename("empty/x", "sub/y"));
	contents("sub/y");
	SHOW(rename("empty", "sub/moved/"));
	SHOW(stat("sub/moved", &st));
	ASK(S_ISDIR(st.st_mode));
	make("c", "third");
	RAW(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", RENAME_NOREPLACE);
	RAW(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", RENAME_EXCHANGE);
	contents("b");
	contents("c");
	RAW(renameat2, AT_FDCWD, "c", AT_FDCWD, "d", RENAME_NOREPLACE);
	RAW(renameat2, AT_FDCWD, "d", AT_FDCWD, "missing", RENAME_EXCHANGE);
	RAW(renameat2, AT_FDCWD, "d", AT_FDCWD, "b", RENAME_EXCHANGE | RENAME_NOREPLACE);
	SHOW(link("d", "same"));
	SHOW(rename("d", "same"));
	contents("d");
	return 0;
}
