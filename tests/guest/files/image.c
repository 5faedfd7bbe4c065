/* SPDX-License-Identifier: Apache-2.0 */
/* Files that came with the image: read in every way, and changed without changing what others read. */
#include "tests/guest/guest.h"

#include <dirent.h>

int main(void)
{
	char buf[64], *map;
	struct dirent *e;
	struct stat st;
	long names = 0, sum = 0;
	int fd = open("data/pattern", O_RDONLY);
	DIR *dir;

	SHOW(fstat(fd, &st));
	SHOW(st.st_size);
	SHOW(pread(fd, buf, 27, 27 * 9999));
	ASK(memcmp(buf, "line   9999 of the pattern\n", 27) == 0);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(map != MAP_FAILED);
	for (size_t i = 0; i < 10000; i++) {
		snprintf(buf, sizeof(buf), "line %6zu of the pattern\n", i);
		NEED(memcmp(map + 27 * i, buf, 27) == 0);
	}
	ASK(all_bytes(map + st.st_size, PAGE - (size_t)st.st_size % PAGE, 0));
	map[0] = 'X';
	SHOW(pread(fd, buf, 1, 0));
	ASK(buf[0] == 'l');
	dir = opendir("data/many");
	NEED(dir);
	while ((e = readdir(dir)))
		names += e->d_name[0] == 'f';
	closedir(dir);
	SHOW(names);
	for (int i = 0; i < 500; i++) {
		snprintf(buf, sizeof(buf), "data/many/file-%d", i);
		fd = open(buf, O_RDONLY);
		memset(buf, 0, sizeof(buf));
		NEED(fd >= 0 && read(fd, buf, sizeof(buf)) > 0);
		sum += atol(buf);
		close(fd);
	}
	SHOW(sum);
	SHOW(readlink("data/link", buf, sizeof(buf)));
	fd = open("data/link", O_RDONLY);
	SHOW(read(fd, buf, sizeof(buf)));
	SHOW(stat("data/empty", &st));
	SHOW(st.st_size);
	SHOW(lseek(open("data/page", O_RDONLY), 0, SEEK_END));

	/* Changes stay in this instance, and are seen through descriptors that were open before. */
	fd = open("data/small", O_RDONLY);
	SHOW(write(open("data/small", O_WRONLY), "A SMALL", 7));
	SHOW(read(fd, buf, sizeof(buf)));
	ASK(memcmp(buf, "A SMALL file\n", 13) == 0);
	SHOW(rename("data/small", "data/many/moved"));
	SHOW(unlink("data/page"));
	SHOW(open("data/page", O_RDONLY));
	SHOW_OK(open("data/many/new", O_CREAT | O_EXCL | O_WRONLY, 0600));
	SHOW(stat("data/many/moved", &st));
	SHOW(st.st_size);
	SHOW(truncate("data/pattern", 100));
	SHOW(stat("data/pattern", &st));
	SHOW(st.st_size);
	SHOW(rmdir("data/many"));
	return 0;
}
