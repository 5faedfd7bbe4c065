/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /proc/self that a program writes and reads back: oom_score_adj on both scales, coredump_filter. */
#include "tests/guest/guest.h"

static void put(const char *path, const char *text)
{
	char line[64] = "";
	int fd = open(path, O_RDWR);

	NEED(fd >= 0);
	say("%s \"%s\"", path + 11, text);
	say(" = %s,", write(fd, text, strlen(text)) < 0 ? errname(errno) : "ok");
	NEED(pread(fd, line, sizeof(line) - 1, 0) > 0);
	say(" reads %s", line);
	close(fd);
}

int main(void)
{
	static const char *const scores[] = {
		"-1001", "1001", "x", "", "12x", "500\n", "1000", " 7 ", "0"};
	static const char *const olds[] = {"-18", "16", "x", "15"};
	static const char *const filters[] = {"0x7f", "51", "y", "0x33"};

	for (size_t i = 0; i < ARRAY_SIZE(scores); i++)
		put("/proc/self/oom_score_adj", scores[i]);
	for (size_t i = 0; i < ARRAY_SIZE(olds); i++) {
		put("/proc/self/oom_adj", olds[i]);
		put("/proc/self/oom_score_adj", "");
	}
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		put("/proc/self/coredump_filter", filters[i]);
	return 0;
}
