/* SPDX-License-Identifier: Apache-2.0 */
/* execve of what can not be run: the errors by which shells look along PATH. */
#include "tests/guest/guest.h"

#include <limits.h>

static char word[] = "x", *argv[] = {word, NULL}, *bad_argv[] = {BAD_PTR, NULL};

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY, mode);

	NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
	NEED(chmod(name, mode) == 0);
}

static void paths(void)
{
	static char name[PATH_MAX + 2];

	memset(name, 'a', PATH_MAX + 1);
	RAW(execve, name, argv, NULL);
	name[300] = 0;
	RAW(execve, name, argv, NULL);
	RAW(execve, "", argv, NULL);
	RAW(execve, "none", argv, NULL);
	RAW(execve, "text/x", argv, NULL);
	RAW(execve, "loop", argv, NULL);
	RAW(execve, "/", argv, NULL);
	RAW(execve, "/dev/null", argv, NULL);
	RAW(execve, "plain", argv, NULL);
	RAW(execve, "text", argv, NULL);
	RAW(execve, "empty", argv, NULL);
	RAW(execve, BAD_PTR, argv, NULL);
	RAW(execve, "text", BAD_PTR, NULL);
	RAW(execve, "text", argv, BAD_PTR);
	RAW(execve, "text", bad_argv, NULL);
	RAW(execve, "none", bad_argv, NULL);
}

int main(void)
{
	put("text", "hello", 0755);
	put("empty", "", 0755);
	put("plain", "#!/bin/sh\n", 0644);
	put("mine", "#!/none\n", 0700);
	NEED(symlink("loop", "loop") == 0);
	paths();
	SHOW(execlp("none-such-program", "x", NULL));
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	RAW(execve, "mine", argv, NULL);
	RAW(execve, "text", argv, NULL);
	return 0;
}
