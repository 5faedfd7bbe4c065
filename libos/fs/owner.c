/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told of a file by signals (fcntl(2), F_SETOWN and its kin): checked, kept and answered. Nothing is ever sent (no SIGIO). */
#include "libos/fs/owner.h"

#include "libos/klib/errno.h"
#include "libos/mem/uaccess.h"
#include "libos/sched/signal.h"
#include "libos/sched/thread.h"
#include "libos/uapi/fs.h"

#define OWNER_TID  0
#define OWNER_PID  1
#define OWNER_PGRP 2
#define PROCESS_ID 1 /* of the process, and of its group */

static int set(struct file *f, int type, int pid)
{
	if (pid && (type == OWNER_TID ? !thread_exists(pid) : pid != PROCESS_ID))
		return -ESRCH;
	f->owner = pid;
	f->owner_type = (uint8_t)type;
	return 0;
}

static long set_ex(struct file *f, uptr_t arg)
{
	struct f_owner_ex to;

	if (get_user(&to, arg) < 0)
		return -EFAULT;
	if (to.type < OWNER_TID || to.type > OWNER_PGRP)
		return -EINVAL;
	return set(f, to.type, to.pid);
}

long owner_fcntl(struct file *f, int cmd, uint64_t arg)
{
	struct f_owner_ex now;
	int pid = (int)arg;

	switch (cmd) {
	case F_SETOWN:
		if (pid == INT32_MIN)
			return -EINVAL;
		return set(f, pid < 0 ? OWNER_PGRP : OWNER_PID, pid < 0 ? -pid : pid);
	case F_GETOWN:
		return f->owner_type == OWNER_PGRP ? -f->owner : f->owner;
	case F_SETOWN_EX:
		return set_ex(f, arg);
	case F_GETOWN_EX:
		now = (struct f_owner_ex){f->owner_type, f->owner};
		return put_user(arg, &now);
	case F_SETSIG:
		if (arg > SIGNALS)
			return -EINVAL;
		f->owner_signal = (uint8_t)arg;
		return 0;
	default: /* F_GETSIG */
		return f->owner_signal;
	}
}
