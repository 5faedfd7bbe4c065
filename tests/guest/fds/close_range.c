/* SPDX-License-Identifier: Apache-2.0 */
/* close_range by the raw call: ranges, holes, the flag. */
#include "tests/guest/guest.h"

static void list(void)
{
	char text[128] = "open:";

	for (int fd = 3; fd < 30; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d%s", fd,
				fcntl(fd, F_GETFD) & FD_CLOEXEC ? "x" : "");
	}
	say("%s\n", text);
}

int main(void)
{
	int fd = open("/dev/null", O_RDONLY);

	for (int i = 4; i < 20; i++)
		NEED(dup2(fd, i) == i);
	list();
	RAW(close_range, 5, 8, 0);
	RAW(close_range, 7, 7, 0);
	list();
	RAW(close_range, 10, 12, 4);
	list();
	RAW(close_range, 15, ~0u, 0);
	list();
	RAW(close_range, 9, 5, 0);
	RAW(close_range, 3, 5, 0x80);
	return 0;
}
