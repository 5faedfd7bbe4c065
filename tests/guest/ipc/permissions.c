/* SPDX-License-Identifier: Apache-2.0 */
/* System V IPC and message queues as another user than their owner, and as one of the group. */
#include "tests/guest/guest.h"

#include <grp.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static int shm, sem, msg;

static void tries(const char *who)
{
	struct sembuf up = {0, 1, IPC_NOWAIT}, zero = {0, 0, IPC_NOWAIT};
	struct msqid_ds q;
	struct semid_ds s;
	struct shmid_ds d;
	char m[16] = {1};

	say("-- %s\n", who);
	SHOW(shmget(1, 0, 0400));
	SHOW(shmget(1, 0, 0200));
	SHOW(shmget(1, 0, 0));
	SHOW_OK(shmat(shm, NULL, SHM_RDONLY));
	SHOW_OK(shmat(shm, NULL, 0));
	SHOW_OK(shmat(shm, NULL, SHM_RDONLY | SHM_EXEC));
	SHOW(shmctl(shm, IPC_STAT, &d));
	SHOW(shmctl(shm, IPC_SET, &d));
	SHOW(shmctl(shm, IPC_RMID, NULL));
	SHOW(semop(sem, &up, 1));
	SHOW(semop(sem, &zero, 1));
	SHOW(semctl(sem, 0, GETVAL));
	SHOW(semctl(sem, 0, SETVAL, 1));
	SHOW(semctl(sem, 0, IPC_STAT, &s));
	SHOW(semctl(sem, 0, IPC_RMID));
	SHOW(msgsnd(msg, m, 1, IPC_NOWAIT));
	SHOW(msgrcv(msg, m, 1, 0, IPC_NOWAIT));
	SHOW(msgctl(msg, IPC_STAT, &q));
	SHOW(msgctl(msg, IPC_RMID, NULL));
	SHOW_OK(mq_open("/guest-owned", O_RDONLY));
	SHOW_OK(mq_open("/guest-owned", O_RDWR));
	SHOW(mq_unlink("/guest-owned"));
}

int main(void)
{
	struct shmid_ds d;
	struct semid_ds s;
	struct msqid_ds q;

	umask(0);
	shm = shmget(1, PAGE, IPC_CREAT | 0640);
	sem = semget(1, 1, IPC_CREAT | 0640);
	msg = msgget(1, IPC_CREAT | 0640);
	NEED(shm >= 0 && sem >= 0 && msg >= 0);
	NEED(shmctl(shm, IPC_STAT, &d) == 0 && semctl(sem, 0, IPC_STAT, &s) == 0 &&
		msgctl(msg, IPC_STAT, &q) == 0);
	d.shm_perm.gid = s.sem_perm.gid = q.msg_perm.gid = 1234;
	NEED(shmctl(shm, IPC_SET, &d) == 0 && semctl(sem, 0, IPC_SET, &s) == 0 &&
		msgctl(msg, IPC_SET, &q) == 0);
	NEED(mq_open("/guest-owned", O_CREAT | O_RDWR, 0640, NULL) >= 0);
	tries("root");
	shm = shmget(1, PAGE, IPC_CREAT | 0640);
	sem = semget(1, 1, IPC_CREAT | 0640);
	msg = msgget(1, IPC_CREAT | 0640);
	NEED(shmctl(shm, IPC_SET, &d) == 0 && semctl(sem, 0, IPC_SET, &s) == 0 &&
		msgctl(msg, IPC_SET, &q) == 0);
	NEED(mq_open("/guest-owned", O_CREAT | O_RDWR, 0640, NULL) >= 0);
	NEED(setgroups(0, NULL) == 0 && setresgid(1234, 1234, 1234) == 0 &&
		setresuid(500, 500, 0) == 0);
	tries("one of the group");
	NEED(seteuid(0) == 0 && setresgid(99, 99, 99) == 0 && setresuid(500, 500, 500) == 0);
	tries("another");
	SHOW_OK(mq_open("/guest-own", O_CREAT | O_RDONLY, 0, NULL));
	SHOW_OK(mq_open("/guest-own", O_RDONLY));
	SHOW(mq_unlink("/guest-own"));
	return 0;
}
