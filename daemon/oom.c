/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/oom.h"

#include "lib/util.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (32 * KIB) /* vmstat has 5 */
#define KILLS          "oom_kill "

/* The beginning of a file of the kernel's, as a string; "" when it can not be read. */
static void read_text(int dir, const char *path, char *text, size_t size)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
}

void oom_child_score(char text[OOM_TEXT_BYTES])
{
	char own_text[16];
	long own;

	read_text(AT_FDCWD, "/proc/self/oom_score_adj", own_text, sizeof(own_text));
	own = strtol(own_text, NULL, 10);
	if (own < 0)
		own = 0;
	own += OOM_SCORE_ABOVE;
	snprintf(text, OOM_TEXT_BYTES, "%d", own < OOM_SCORE_MAX ? (int)own : OOM_SCORE_MAX);
}

uint64_t oom_kills(int dir, const char *path)
{
	_cleanup_free_ char *text = malloc(FILE_MAX_BYTES);
	const char *at;

	if (!text)
		return 0;
	read_text(dir, path, text, FILE_MAX_BYTES);
	at = strstr(text, KILLS);
	while (at && at > text && at[-1] != '\n')
		at = strstr(at + 1, KILLS);
	return at ? strtoull(at + strlen(KILLS), NULL, 10) : 0;
}
