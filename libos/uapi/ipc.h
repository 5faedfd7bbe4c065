/* SPDX-License-Identifier: Apache-2.0 */
/* System V IPC of the Linux ABI, x86-64: sysvipc(7), shmctl(2), semctl(2), msgctl(2), linux/{ipc,shm,sem,msg}.h. */
#ifndef LIBOS_UAPI_IPC_H
#define LIBOS_UAPI_IPC_H

#include "abi/types.h"

#include <stdint.h>

#define IPC_PRIVATE 0
#define IPC_CREAT   01000u
#define IPC_EXCL    02000u
#define IPC_NOWAIT  04000u

#define IPC_RMID 0
#define IPC_SET  1
#define IPC_STAT 2
#define IPC_INFO 3

struct ipc_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	uint16_t seq, pad[3];
	uint64_t unused[2];
};
ABI_ASSERT_SIZE(struct ipc_perm, 48);

/* ---- shared memory */
#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

#define SHM_HUGETLB   04000u
#define SHM_NORESERVE 010000u
#define SHM_DEST      01000u /* of ipc_perm.mode */
#define SHM_LOCKED    02000u

#define SHM_RDONLY 010000u
#define SHM_RND    020000u
#define SHM_REMAP  040000u
#define SHM_EXEC   0100000u

struct shmid_ds {
	struct ipc_perm perm;
	uint64_t segsz;
	int64_t atime, dtime, ctime;
	int32_t cpid, lpid;
	uint64_t nattch, unused[2];
};
ABI_ASSERT_SIZE(struct shmid_ds, 112);

struct shminfo {
	uint64_t shmmax, shmmin, shmmni, shmseg, shmall, unused[4];
};

struct shm_info {
	int32_t used_ids, pad;
	uint64_t shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

/* ---- semaphores */
#define SEM_UNDO 0x1000

#define GETPID       11
#define GETVAL       12
#define GETALL       13
#define GETNCNT      14
#define GETZCNT      15
#define SETVAL       16
#define SETALL       17
#define SEM_STAT     18
#define SEM_INFO     19
#define SEM_STAT_ANY 20

struct sembuf {
	uint16_t sem_num;
	int16_t sem_op, sem_flg;
};

struct semid_ds {
	struct ipc_perm perm;
	int64_t otime;
	uint64_t unused1;
	int64_t ctime;
	uint64_t unused2, nsems, unused[2];
};
ABI_ASSERT_SIZE(struct semid_ds, 104);

struct seminfo {
	int32_t semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};

/* ---- messages */
#define MSG_NOERROR  010000u
#define MSG_EXCEPT   020000u
#define MSG_COPY     040000u
#define MSG_STAT     11
#define MSG_INFO     12
#define MSG_STAT_ANY 13

struct msqid_ds {
	struct ipc_perm perm;
	int64_t stime, rtime, ctime;
	uint64_t cbytes, qnum, qbytes;
	int32_t lspid, lrpid;
	uint64_t unused[2];
};
ABI_ASSERT_SIZE(struct msqid_ds, 120);

struct msginfo {
	int32_t msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	uint16_t msgseg, pad;
};

#endif
