/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for all with the sticky bit: who may take away what another made there. */
#include "tests/guest/guest.h"

static void make(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0666);

	SHOW_OK(fd);
	close(fd);
}

int main(void)
{
	char path[64], other[80];

	snprintf(path, sizeof(path), "/dev/shm/sticky-%d", (int)getpid());
	snprintf(other, sizeof(other), "%s-other", path);
	make(path);
	SHOW(seteuid(1000));
	SHOW(unlink(path));
	SHOW(rename(path, other));
	make(other);
	SHOW(rename(other, path));
	SHOW(unlink(other));
	SHOW(seteuid(0));
	SHOW(unlink(path));
	return 0;
}
