/* SPDX-License-Identifier: Apache-2.0 */
/* Message queues of System V: sizes, types, bad pointers, what msgctl says. */
#include "tests/guest/limited.h"

#include <sys/msg.h>

struct message {
	long type;
	char text[8192];
};

static struct message m;

static void keys(void)
{
	SHOW(msgget(9, 0));
	SHOW(msgget(9, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(msgget(9, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(msgget(9, IPC_CREAT | 0600));
	SHOW(msgget(IPC_PRIVATE, 0));
}

static void calls(void)
{
	m.type = 1;
	SHOW(msgsnd(0, &m, 8193, 0));
	SHOW(msgsnd(0, &m, -1ul, 0));
	SHOW(msgsnd(-1, &m, 1, 0));
	SHOW(msgsnd(55, &m, 1, 0));
	SHOW(msgsnd(32768, &m, 1, 0));
	SHOW(msgsnd(0, BAD_PTR, 1, 0));
	SHOW(msgsnd(0, BAD_KERNEL, 1, 0));
	m.type = 0;
	SHOW(msgsnd(0, &m, 1, 0));
	m.type = -5;
	SHOW(msgsnd(0, &m, 1, 0));
	m.type = 1;
	SHOW(msgsnd(0, &m, 8192, 0));
	SHOW(msgsnd(0, &m, 8192, 0));
	SHOW(msgsnd(0, &m, 1, IPC_NOWAIT));
	SHOW(msgsnd(0, &m, 0, IPC_NOWAIT));
	SHOW(msgrcv(0, &m, -1ul, 0, 0));
	SHOW(msgrcv(-1, &m, 1, 0, 0));
	SHOW(msgrcv(55, &m, 1, 0, 0));
	SHOW(msgrcv(0, &m, 8191, 0, 0));
	SHOW(msgrcv(0, &m, 100, 0, MSG_NOERROR));
	SHOW(msgrcv(0, &m, 8192, 2, IPC_NOWAIT));
	SHOW(msgrcv(0, &m, 8192, 1, MSG_COPY));
	SHOW(msgrcv(0, &m, 8192, 0, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT));
	SHOW(msgrcv(0, &m, 8192, 0, MSG_COPY | IPC_NOWAIT));
	SHOW(msgrcv(0, &m, 8192, 1, MSG_COPY | IPC_NOWAIT));
	SHOW(msgrcv(0, &m, 8192, 2, MSG_COPY | IPC_NOWAIT));
	SHOW(msgrcv(0, BAD_PTR, 8192, 0, 0));
	SHOW(msgrcv(0, &m, 8192, 0, IPC_NOWAIT));
	SHOW(msgrcv(0, &m, 8192, 0, IPC_NOWAIT));
}

static void control(void)
{
	struct msqid_ds d = {0};
	struct msginfo info;

	SHOW(msgctl(0, IPC_STAT, &d));
	say("mode %o, %lu messages, %lu bytes of %lu\n", d.msg_perm.mode, d.msg_qnum,
		d.__msg_cbytes, d.msg_qbytes);
	ASK(d.msg_lspid == getpid() && d.msg_lrpid == getpid());
	ASK(d.msg_stime > 1000000000 && d.msg_rtime > 1000000000 && d.msg_ctime > 1000000000);
	SHOW(msgctl(-1, IPC_STAT, &d));
	SHOW(msgctl(55, IPC_STAT, &d));
	SHOW(msgctl(0, 99, &d));
	SHOW(msgctl(0, IPC_STAT, BAD_PTR));
	SHOW(msgctl(0, IPC_SET, BAD_PTR));
	SHOW(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&info));
	say("%d %d %d\n", info.msgmax, info.msgmnb, info.msgmni);
	SHOW(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info));
	say("%d queues, %d messages, %d bytes\n", info.msgpool, info.msgmap, info.msgtql);
	SHOW(msgctl(1, MSG_STAT, &d));
	SHOW(msgctl(2, MSG_STAT, &d));
	d.msg_qbytes = 10;
	d.msg_perm.mode = 0666;
	SHOW(msgctl(0, IPC_SET, &d));
	SHOW(msgsnd(0, &m, 11, IPC_NOWAIT));
	SHOW(msgsnd(0, &m, 10, IPC_NOWAIT));
	d.msg_qbytes = 100000;
	SHOW(msgctl(0, IPC_SET, &d));
	SHOW(msgctl(0, IPC_STAT, &d));
	say("%lu of %lu, mode %o\n", d.__msg_cbytes, d.msg_qbytes, d.msg_perm.mode);
}

int main(void)
{
	obey_limits();
	keys();
	calls();
	control();
	SHOW(msgctl(0, IPC_RMID, NULL));
	SHOW(msgctl(0, IPC_RMID, NULL));
	SHOW(msgsnd(0, &m, 1, 0));
	SHOW(msgget(9, 0));
	SHOW(msgget(9, IPC_CREAT));
	SHOW(msgsnd(0, &m, 1, 0));
	SHOW(msgctl(msgget(9, 0), IPC_RMID, NULL));
	return 0;
}
