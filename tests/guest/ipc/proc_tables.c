/* SPDX-License-Identifier: Apache-2.0 */
/* The files of /proc/sysvipc: their first lines, and of ours what does not depend on when and by whom it was made. */
#include "tests/guest/guest.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define KEY 0x5a17c0de

/* columns: of each, 'x' is not shown. */
static void table(const char *path, const char *columns)
{
	char line[512], key[16], *save, *word;
	FILE *f = fopen(path, "r");

	NEED(f && fgets(line, sizeof(line), f));
	say("%s", line);
	snprintf(key, sizeof(key), "%d", KEY);
	while (fgets(line, sizeof(line), f)) {
		unsigned i = 0;

		if (!strstr(line, key))
			continue;
		for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
			say("%s ", i < strlen(columns) && columns[i++] == 'x' ? "x" : word);
		say("%u columns\n", i);
	}
	fclose(f);
}

static void tables(void)
{
	table("/proc/sysvipc/shm", "kxpsxxnxxxxxxxxx");
	table("/proc/sysvipc/sem", "kxpnxxxxxx");
	table("/proc/sysvipc/msg", "kxpbnxxxxxxxxx");
}

int main(void)
{
	struct {
		long type;
		char text[5];
	} message = {3, "four"};
	int shm = shmget(KEY, 5000, IPC_CREAT | 0640), sem = semget(KEY, 3, IPC_CREAT | 0600),
	    msg = msgget(KEY, IPC_CREAT | 0666);
	struct shmid_ds shm_before, shm_after;
	void *at = shmat(shm, NULL, 0);

	NEED(shm >= 0 && sem >= 0 && msg >= 0 && at != (void *)-1);
	NEED(msgsnd(msg, &message, sizeof(message.text), 0) == 0);
	tables();
	SHOW(shmctl(shm, IPC_STAT, &shm_before));
	shm_before.shm_perm.mode = 0600;
	SHOW(shmctl(shm, IPC_SET, &shm_before));
	SHOW(shmctl(shm, IPC_STAT, &shm_after));
	say("%o\n", shm_after.shm_perm.mode);
	ASK(shm_after.shm_ctime >= shm_before.shm_ctime);
	SHOW(shmctl(shm, IPC_RMID, NULL));
	SHOW(semctl(sem, 0, IPC_RMID));
	SHOW(msgctl(msg, IPC_RMID, NULL));
	tables();
	SHOW(shmdt(at));
	return 0;
}
