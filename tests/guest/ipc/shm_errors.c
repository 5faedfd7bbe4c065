/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory of System V: sizes, keys, identifiers that are not, bad pointers, what shmctl says. */
#include "tests/guest/guest.h"

#include <sys/shm.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

static void keys(void)
{
	SHOW(shmget(77, 0, 0));
	SHOW(shmget(77, 0, IPC_CREAT));
	SHOW(shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600));
	SHOW(shmget(IPC_PRIVATE, -1ul, IPC_CREAT | 0600));
	SHOW(shmget(IPC_PRIVATE, 1ul << 50, IPC_CREAT | 0600));
	SHOW(shmget(77, 100, IPC_EXCL | 0600));
	SHOW(shmget(77, 100, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(shmget(77, 100, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(shmget(77, 100, IPC_CREAT | 0600));
	SHOW(shmget(77, 101, 0600));
	SHOW(shmget(77, 1, 0600));
	SHOW(shmget(77, 0, 0));
	SHOW(shmget(IPC_PRIVATE, 5000, 0));
	SHOW(shmget(IPC_PRIVATE, 1, IPC_EXCL | 0777));
}

static void what_it_says(void)
{
	struct shmid_ds d = {0};
	struct shm_info info;
	struct shminfo limits;

	SHOW(shmctl(0, IPC_STAT, &d));
	say("key %d mode %o uid %u seq %u size %lu\n", d.shm_perm.__key, d.shm_perm.mode,
		d.shm_perm.uid, d.shm_perm.__seq, d.shm_segsz);
	say("never attached: %ld %ld\n", (long)d.shm_atime, (long)d.shm_dtime);
	ASK(d.shm_ctime > 1000000000 && d.shm_cpid == getpid() && d.shm_lpid == 0);
	SHOW(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info));
	say("%d segments, %lu pages\n", info.used_ids, info.shm_tot);
	SHOW(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&limits));
	say("%lx %lu %lu %lu %lx\n", limits.shmmax, limits.shmmin, limits.shmmni, limits.shmseg,
		limits.shmall);
	SHOW(shmctl(1, SHM_STAT, &d));
	SHOW(shmctl(2, SHM_STAT_ANY, &d));
	SHOW(shmctl(99, SHM_STAT, &d));
	SHOW(shmctl(0, SHM_LOCK, NULL));
	SHOW(shmctl(0, IPC_STAT, &d));
	say("mode %o\n", d.shm_perm.mode);
	SHOW(shmctl(0, SHM_UNLOCK, NULL));
	d.shm_perm.mode = 0xffffffff & 07123;
	SHOW(shmctl(0, IPC_SET, &d));
	SHOW(shmctl(0, IPC_STAT, &d));
	say("mode %o\n", d.shm_perm.mode);
	d.shm_perm.uid = -1u;
	SHOW(shmctl(0, IPC_SET, &d));
}

int main(void)
{
	struct shmid_ds d = {0};

	keys();
	what_it_says();
	SHOW(shmctl(-1, IPC_STAT, &d));
	SHOW(shmctl(12345, IPC_STAT, &d));
	SHOW(shmctl(32768, IPC_STAT, &d));
	SHOW(shmctl(0, 99, &d));
	SHOW(shmctl(0, -1, &d));
	SHOW(shmctl(0, IPC_STAT, BAD_PTR));
	SHOW(shmctl(0, IPC_STAT, BAD_KERNEL));
	SHOW(shmctl(0, IPC_SET, BAD_PTR));
	SHOW(shmctl(12345, IPC_SET, BAD_PTR));
	SHOW(shmctl(0, IPC_INFO, BAD_PTR));
	SHOW(shmctl(0, SHM_INFO, BAD_TOP));
	SHOW_OK(shmat(-1, NULL, 0));
	SHOW_OK(shmat(12345, NULL, 0));
	SHOW_OK(shmat(32768, NULL, 0));
	SHOW(shmdt(NULL));
	SHOW(shmdt((void *)1));
	SHOW(shmdt(BAD_KERNEL));
	SHOW(shmctl(0, IPC_RMID, NULL));
	SHOW(shmctl(0, IPC_RMID, NULL));
	SHOW(shmget(77, 0, 0));
	SHOW(shmget(78, 1, IPC_CREAT | 0600));
	SHOW(shmctl(0, IPC_STAT, &d));
	return 0;
}
