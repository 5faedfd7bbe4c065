/* SPDX-License-Identifier: Apache-2.0 */
/* Limits below /proc/sys that hold as they are set. On Linux they would be the machine's: only here a program has one of its own. */
#include "tests/guest/limited.h"

#include <mqueue.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static void set(const char *name, const char *value)
{
	char path[96], line[32] = "";
	int fd, rc;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_RDWR);
	NEED(fd >= 0);
	rc = (int)write(fd, value, strlen(value));
	say("%s \"%s\": %s,", name, value, rc < 0 ? errname(errno) : "ok");
	NEED(pread(fd, line, sizeof(line) - 1, 0) > 0);
	say(" is %s", line);
	close(fd);
}

static void numbers(void)
{
	static const char *const odd[] = {
		"", "x", "5x", " 4096 \n", "-1", "99999999999999999999", "2147483649"};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		set("fs/pipe-max-size", odd[i]);
	set("fs/pipe-max-size", "5000");
	set("kernel/pid_max", "300");
	set("kernel/pid_max", "4194304");
	set("vm/max_map_count", "65531");
	SHOW(open("/proc/sys/vm/drop_caches", O_RDONLY) >= 0);
}

static void identifiers(void)
{
	set("kernel/msg_next_id", "65536005");
	SHOW(msgget(1, IPC_CREAT | 0600));
	set("kernel/msg_next_id", "65536005");
	SHOW(msgget(2, IPC_CREAT | 0600));
	set("kernel/sem_next_id", "12");
	SHOW(semget(1, 1, IPC_CREAT | 0600));
	set("kernel/shm_next_id", "2147483647");
	SHOW(shmget(1, PAGE, IPC_CREAT | 0600));
	set("kernel/shm_next_id", "-1");
	set("kernel/msgmni", "2");
	SHOW(msgget(3, IPC_CREAT | 0600));
}

static void limits(void)
{
	int p[2], first = inotify_init1(0);
	struct mq_attr attr;
	mqd_t q;

	NEED(pipe(p) == 0);
	set("fs/pipe-max-size", "65536");
	SHOW(fcntl(p[1], F_SETPIPE_SZ, 131072));
	set("fs/inotify/max_user_instances", "2");
	ASK(inotify_init1(0) >= 0);
	SHOW(inotify_init1(0));
	SHOW(close(first));
	ASK(inotify_init1(0) >= 0);
	set("fs/mqueue/msg_default", "3");
	q = mq_open("/a", O_CREAT | O_RDWR, 0600, NULL);
	NEED(mq_getattr(q, &attr) == 0);
	say("messages %ld\n", attr.mq_maxmsg);
	set("vm/max_map_count", "1");
	ASK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	set("vm/max_map_count", "65530");
	obey_limits();
	SHOW(fcntl(p[1], F_SETPIPE_SZ, 262144));
	set("fs/mqueue/queues_max", "1");
	SHOW(mq_open("/b", O_CREAT | O_RDWR, 0600, NULL));
}

int main(void)
{
	numbers();
	identifiers();
	limits();
	return 0;
}
