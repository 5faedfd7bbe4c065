/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory of System V: two views of one segment, part of a view, what removal does, forms of addresses. */
#include "tests/guest/guest.h"

#include <sys/shm.h>

static unsigned long attached(int id)
{
	struct shmid_ds d;

	NEED(shmctl(id, IPC_STAT, &d) == 0);
	return d.shm_nattch;
}

static void views(int id)
{
	char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);

	NEED(a != (void *)-1 && b != (void *)-1);
	ASK(a != b);
	say("attached %lu\n", attached(id));
	ASK(all_bytes(a, 4 * PAGE, 0));
	memcpy(a + PAGE - 2, "here", 5);
	say("%s\n", b + PAGE - 2);
	SHOW(mprotect(b, PAGE, PROT_READ | PROT_WRITE));
	SHOW(shmdt(a + PAGE));
	SHOW(shmdt(a + 1));
	SHOW(shmdt(a));
	SHOW(shmdt(a));
	say("%s, attached %lu\n", b + PAGE - 2, attached(id));
	SHOW(shmdt(b));
	say("attached %lu\n", attached(id));
}

static void parts(int id)
{
	char *a = shmat(id, NULL, 0);

	NEED(a != (void *)-1);
	SHOW(munmap(a + PAGE, PAGE));
	say("split: attached %lu\n", attached(id));
	SHOW(munmap(a, PAGE));
	say("first page gone: attached %lu\n", attached(id));
	SHOW(shmdt(a));
	say("attached %lu\n", attached(id));
}

static void places(int id)
{
	char *room = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(room != MAP_FAILED);
	SHOW_OK(shmat(id, room + 4 * PAGE, 0));
	SHOW_OK(shmat(id, room + 4 * PAGE + 1, SHM_REMAP));
	SHOW_OK(shmat(id, NULL, SHM_REMAP));
	SHOW_OK(shmat(id, (void *)1, SHM_REMAP | SHM_RND));
	ASK(shmat(id, room + 4 * PAGE, SHM_REMAP) == room + 4 * PAGE);
	SHOW(shmdt(room + 4 * PAGE));
	SHOW_OK(shmat(id, room + 4 * PAGE + 100, 0));
	ASK(shmat(id, room + 4 * PAGE + 100, SHM_RND) == room + 4 * PAGE);
	room[4 * PAGE] = 1;
	SHOW(shmdt(room + 4 * PAGE));
	SHOW_OK(shmat(id, BAD_KERNEL, 0));
	SHOW(munmap(room, 16 * PAGE));
	say("attached %lu\n", attached(id));
}

static void removal(int id)
{
	struct shmid_ds d;
	char *a = shmat(id, NULL, 0), *b;

	NEED(a != (void *)-1);
	SHOW(shmctl(id, IPC_RMID, NULL));
	NEED(shmctl(id, IPC_STAT, &d) == 0);
	say("mode %o, key %d, attached %lu\n", d.shm_perm.mode, d.shm_perm.__key, d.shm_nattch);
	strcpy(a, "still here");
	b = shmat(id, NULL, 0);
	ASK(b != (void *)-1);
	SHOW(shmdt(a));
	say("%s\n", b);
	SHOW(shmdt(b));
	SHOW(shmctl(id, IPC_STAT, &d));
	SHOW_OK(shmat(id, NULL, 0));
}

int main(void)
{
	int id = shmget(0x1234, 4 * PAGE - 100, IPC_CREAT | IPC_EXCL | 0640);

	say("id %d\n", id);
	views(id);
	parts(id);
	places(id);
	removal(id);
	SHOW(shmget(0x1234, 0, 0));
	say("next id %d\n", shmget(0x1234, 1, IPC_CREAT | 0600));
	SHOW(shmctl(shmget(0x1234, 0, 0), IPC_RMID, NULL));
	return 0;
}
