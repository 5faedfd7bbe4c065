/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphores of System V: numbers, keys, bad pointers, what semctl says. */
#include "tests/guest/guest.h"

#include <sys/sem.h>

static void keys(void)
{
	SHOW(semget(5, 1, 0));
	SHOW(semget(5, -1, IPC_CREAT | 0600));
	SHOW(semget(5, 0, IPC_CREAT | 0600));
	SHOW(semget(5, 32001, IPC_CREAT | 0600));
	SHOW(semget(5, 3, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(semget(5, 3, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(semget(5, 4, 0));
	SHOW(semget(5, 0, 0));
	SHOW(semget(5, 3, IPC_CREAT | 0600));
	SHOW(semget(IPC_PRIVATE, 32000, 0600));
}

static void operations(void)
{
	struct sembuf up = {0, 1, 0}, down = {0, -1, IPC_NOWAIT}, far = {3, 1, 0},
		      zero = {0, 0, IPC_NOWAIT};
	struct sembuf top = {1, 32767, 0}, many[501] = {{0}},
		      both[2] = {{0, 1, 0}, {1, -1, IPC_NOWAIT}};
	struct sembuf undo[2] = {{2, 32767, SEM_UNDO}, {2, 1, SEM_UNDO}};
	struct timespec bad = {0, 1000000000}, soon = {0, 1000}, negative = {-1, 0};

	SHOW(semop(0, &up, 0));
	SHOW(semop(0, many, 501));
	SHOW(semop(0, many, 500));
	SHOW(semop(0, BAD_PTR, 1));
	SHOW(semop(0, BAD_KERNEL, 500));
	SHOW(semop(-1, &up, 1));
	SHOW(semop(77, &up, 1));
	SHOW(semop(32768, &up, 1));
	SHOW(semop(0, &far, 1));
	SHOW(semop(0, &down, 1));
	SHOW(semop(0, &zero, 1));
	SHOW(semop(0, &up, 1));
	SHOW(semop(0, &zero, 1));
	SHOW(semop(0, &top, 1));
	SHOW(semop(0, &top, 1));
	SHOW(semop(0, both, 2));
	SHOW(semop(0, undo, 2));
	SHOW(semop(0, undo, 1));
	say("%d %d %d\n", semctl(0, 0, GETVAL), semctl(0, 1, GETVAL), semctl(0, 2, GETVAL));
	zero.sem_flg = 0;
	SHOW(semtimedop(0, &zero, 1, &soon));
	SHOW(semtimedop(0, &zero, 1, &bad));
	SHOW(semtimedop(0, &zero, 1, &negative));
	SHOW(semtimedop(0, &zero, 1, BAD_PTR));
	SHOW(semtimedop(0, &zero, 0, BAD_PTR));
	SHOW(semtimedop(0, &down, 1, &bad));
}

static void control(void)
{
	unsigned short three[3] = {7, 8, 9}, more[3] = {1, 2, 40000};
	struct seminfo info;
	struct semid_ds d = {0};

	SHOW(semctl(0, 0, SETALL, three));
	SHOW(semctl(0, 0, SETALL, more));
	SHOW(semctl(0, 0, SETALL, BAD_PTR));
	SHOW(semctl(0, 0, GETALL, more));
	say("%d %d %d\n", more[0], more[1], more[2]);
	SHOW(semctl(0, 0, GETALL, BAD_PTR));
	SHOW(semctl(0, 2, GETVAL));
	SHOW(semctl(0, 3, GETVAL));
	SHOW(semctl(0, -1, GETVAL));
	SHOW(semctl(0, 1, SETVAL, 32767));
	SHOW(semctl(0, 1, SETVAL, 32768));
	SHOW(semctl(0, 1, SETVAL, -1));
	SHOW(semctl(0, 3, SETVAL, 1));
	SHOW(semctl(9, 9, SETVAL, 1));
	SHOW(semctl(9, 9, SETVAL, 99999));
	ASK(semctl(0, 0, GETPID) == getpid());
	SHOW(semctl(0, 0, GETNCNT));
	SHOW(semctl(0, 0, GETZCNT));
	SHOW(semctl(-1, 0, GETVAL));
	SHOW(semctl(0, 0, 99));
	SHOW(semctl(0, 0, IPC_STAT, &d));
	say("nsems %lu mode %o key %d\n", d.sem_nsems, d.sem_perm.mode, d.sem_perm.__key);
	ASK(d.sem_otime > 1000000000 && d.sem_ctime > 1000000000);
	SHOW(semctl(0, 0, IPC_STAT, BAD_PTR));
	SHOW(semctl(0, 0, IPC_SET, BAD_PTR));
	SHOW(semctl(0, 0, IPC_INFO, &info));
	say("%d %d %d %d %d\n", info.semmni, info.semmns, info.semmsl, info.semopm, info.semvmx);
	SHOW(semctl(0, 0, SEM_INFO, &info));
	say("%d %d\n", info.semusz, info.semaem);
	SHOW(semctl(1, 0, SEM_STAT, &d));
	say("%lu\n", d.sem_nsems);
	SHOW(semctl(2, 0, SEM_STAT, &d));
	SHOW(semctl(0, 0, SEM_INFO, BAD_PTR));
	d.sem_perm.mode = 0444;
	d.sem_perm.uid = 9;
	SHOW(semctl(0, 0, IPC_SET, &d));
	SHOW(semctl(0, 0, IPC_STAT, &d));
	say("%o %u %u\n", d.sem_perm.mode, d.sem_perm.uid, d.sem_perm.cuid);
}

int main(void)
{
	keys();
	operations();
	control();
	SHOW(semctl(0, 0, IPC_RMID));
	SHOW(semctl(0, 0, IPC_RMID));
	SHOW(semctl(1, 0, IPC_RMID));
	SHOW(semget(5, 1, 0));
	SHOW(semget(6, 1, IPC_CREAT));
	SHOW(semctl(0, 0, GETVAL));
	return 0;
}
