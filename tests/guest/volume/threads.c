/* SPDX-License-Identifier: Apache-2.0 */
/* Four threads on the same folder and the same files: names come and go, records are appended, one position is shared. */
#include "tests/guest/guest.h"

#define THREADS 4
#define ROUNDS  60

static int shared_fd;

static void names(long me)
{
	char mine[32], text[64];
	struct stat st;
	int fd;

	snprintf(mine, sizeof(mine), "file-%ld", me);
	for (int i = 0; i < ROUNDS; i++) {
		fd = open(mine, O_CREAT | O_EXCL | O_RDWR, 0600);
		NEED(fd >= 0);
		NEED(write(fd, mine, strlen(mine)) == (ssize_t)strlen(mine));
		snprintf(text, sizeof(text), "moved-%ld", me);
		NEED(rename(mine, text) == 0 && stat(mine, &st) < 0 && stat(text, &st) == 0);
		NEED(st.st_size == (off_t)strlen(mine) && unlink(text) == 0);
		NEED(fstat(fd, &st) == 0 && st.st_nlink == 0);
		close(fd);
	}
}

/* All create and remove the same name: who comes first differs, nothing else may happen. */
static void contended(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		int fd = open("common", O_CREAT | O_RDWR, 0600);

		NEED(fd >= 0 || errno == ENOENT);
		if (fd >= 0)
			close(fd);
		NEED(unlink("common") == 0 || errno == ENOENT);
	}
}

static void append(long me)
{
	int fd = open("log", O_CREAT | O_WRONLY | O_APPEND, 0600);
	char record[16];

	NEED(fd >= 0);
	memset(record, 'a' + (int)me, sizeof(record));
	for (int i = 0; i < ROUNDS; i++) {
		NEED(write(fd, record, sizeof(record)) == sizeof(record));
		NEED(write(shared_fd, record, sizeof(record)) == sizeof(record));
	}
	close(fd);
}

static void *work(void *arg)
{
	names((long)arg);
	contended();
	append((long)arg);
	return NULL;
}

/* Whole records only, and of each thread as many as it wrote. */
static void check(const char *name)
{
	int count[THREADS] = {0}, fd = open(name, O_RDONLY), torn = 0;
	char record[16];

	while (read(fd, record, sizeof(record)) == sizeof(record)) {
		for (unsigned i = 1; i < sizeof(record); i++)
			torn += record[i] != record[0];
		if (record[0] >= 'a' && record[0] < 'a' + THREADS)
			count[record[0] - 'a']++;
	}
	close(fd);
	say("%s: torn %d, records %d %d %d %d\n", name, torn, count[0], count[1], count[2],
		count[3]);
}

int main(void)
{
	pthread_t thread[THREADS];

	shared_fd = open("shared", O_CREAT | O_WRONLY, 0600);
	for (long i = 0; i < THREADS; i++)
		NEED(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		NEED(pthread_join(thread[i], NULL) == 0);
	check("log");
	check("shared");
	SHOW(access("common", F_OK));
	return 0;
}
