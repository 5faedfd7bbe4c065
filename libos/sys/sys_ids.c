/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities of the one process: pid 1 in a session and group of its own. It is root; it may become another user
 * (memcached -u, nginx), which then owns what it makes, and may do what that user may with files (fs/perm.c).
 */
#include "libos/klib/errno.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/uaccess.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"

#define PID     1
#define NGROUPS 65536
#define ID_KEEP 0xffffffffu /* (uid_t)-1: leave as it is */

struct cred cred = {.caps = {.effective = CAP_ALL, .permitted = CAP_ALL, .bounding = CAP_ALL}};

long sys_getpid(const uint64_t a[6])
{
	(void)a;
	return PID;
}

long sys_getppid(const uint64_t a[6])
{
	(void)a;
	return 0;
}

long sys_getuid(const uint64_t a[6])
{
	(void)a;
	return cred.uid.real;
}

long sys_geteuid(const uint64_t a[6])
{
	(void)a;
	return cred.uid.effective;
}

long sys_getgid(const uint64_t a[6])
{
	(void)a;
	return cred.gid.real;
}

long sys_getegid(const uint64_t a[6])
{
	(void)a;
	return cred.gid.effective;
}

static bool privileged(const struct ids *ids)
{
	return cred_has(ids == &cred.uid ? CAP_SETUID : CAP_SETGID);
}

/* The file systems' number follows the effective one; capabilities follow the user. */
static void ids_take(struct ids *ids, struct ids to)
{
	struct ids was = *ids;

	to.fs = to.effective;
	*ids = to;
	if (ids == &cred.uid)
		caps_after_setuid(&was);
}

/* setuid(2) and setgid(2): a privileged caller sets all three, another one only to an id that it has. */
static long set_one(struct ids *ids, uint32_t id)
{
	struct ids to = *ids;

	if (id == ID_KEEP)
		return -EINVAL;
	if (privileged(ids))
		to.real = to.saved = id;
	else if (id != ids->real && id != ids->saved)
		return -EPERM;
	to.effective = id;
	ids_take(ids, to);
	return 0;
}

static bool may_take(const struct ids *ids, uint32_t id)
{
	return id == ID_KEEP || privileged(ids) || id == ids->real || id == ids->effective ||
		id == ids->saved;
}

static long set_three(struct ids *ids, uint32_t real, uint32_t effective, uint32_t saved)
{
	struct ids to = *ids;

	if (!may_take(ids, real) || !may_take(ids, effective) || !may_take(ids, saved))
		return -EPERM;
	if (real != ID_KEEP)
		to.real = real;
	if (effective != ID_KEEP)
		to.effective = effective;
	if (saved != ID_KEEP)
		to.saved = saved;
	ids_take(ids, to);
	return 0;
}

static long get_three(const struct ids *ids, const uint64_t a[6])
{
	if (put_user(a[0], &ids->real) < 0 || put_user(a[1], &ids->effective) < 0 ||
		put_user(a[2], &ids->saved) < 0)
		return -EFAULT;
	return 0;
}

/* setreuid(2): the saved id follows the effective one when the real one is set, or the effective one leaves it. */
static long set_two(struct ids *ids, uint32_t real, uint32_t effective)
{
	struct ids to = *ids;

	if (real != ID_KEEP && !privileged(ids) && real != ids->real && real != ids->effective)
		return -EPERM;
	if (!may_take(ids, effective))
		return -EPERM;
	if (real != ID_KEEP)
		to.real = real;
	if (effective != ID_KEEP)
		to.effective = effective;
	if (real != ID_KEEP || (effective != ID_KEEP && effective != ids->real))
		to.saved = to.effective;
	ids_take(ids, to);
	return 0;
}

/* setfsuid(2): the old number, always; another one is taken if the caller may. */
static long set_fs(struct ids *ids, uint32_t id)
{
	uint32_t was = ids->fs;

	if (id == ID_KEEP || (!may_take(ids, id) && id != ids->fs))
		return was;
	ids->fs = id;
	if (ids == &cred.uid)
		caps_after_setfsuid(was);
	return was;
}

long sys_setuid(const uint64_t a[6])
{
	return set_one(&cred.uid, (uint32_t)a[0]);
}

long sys_setgid(const uint64_t a[6])
{
	return set_one(&cred.gid, (uint32_t)a[0]);
}

long sys_setresuid(const uint64_t a[6])
{
	return set_three(&cred.uid, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

long sys_setresgid(const uint64_t a[6])
{
	return set_three(&cred.gid, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

long sys_getresuid(const uint64_t a[6])
{
	return get_three(&cred.uid, a);
}

long sys_getresgid(const uint64_t a[6])
{
	return get_three(&cred.gid, a);
}

long sys_setreuid(const uint64_t a[6])
{
	return set_two(&cred.uid, (uint32_t)a[0], (uint32_t)a[1]);
}

long sys_setregid(const uint64_t a[6])
{
	return set_two(&cred.gid, (uint32_t)a[0], (uint32_t)a[1]);
}

long sys_setfsuid(const uint64_t a[6])
{
	return set_fs(&cred.uid, (uint32_t)a[0]);
}

long sys_setfsgid(const uint64_t a[6])
{
	return set_fs(&cred.gid, (uint32_t)a[0]);
}

/* ---- supplementary groups */
bool cred_in_groups(uint32_t gid)
{
	unsigned low = 0, high = cred.ngroups;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (cred.groups[mid] == gid)
			return true;
		if (cred.groups[mid] < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* Heap sort: the list is the program's, and long at worst. */
static void sort(uint32_t *v, unsigned n)
{
	for (unsigned end = n, start = n / 2; end > 1;) {
		unsigned root;

		if (start > 0) {
			start--;
		} else {
			uint32_t t = v[--end];

			v[end] = v[0];
			v[0] = t;
		}
		for (root = start; 2 * root + 1 < end;) {
			unsigned child = 2 * root + 1;
			uint32_t t = v[root];

			if (child + 1 < end && v[child] < v[child + 1])
				child++;
			if (t >= v[child])
				break;
			v[root] = v[child];
			v[child] = t;
			root = child;
		}
	}
}

long sys_setgroups(const uint64_t a[6])
{
	uint64_t n = (uint32_t)a[0];
	uint32_t *list = NULL;

	if (!cred_has(CAP_SETGID))
		return -EPERM;
	if (n > NGROUPS)
		return -EINVAL;
	if (n) {
		list = kmalloc(n * sizeof(list[0]));
		if (!list)
			return -ENOMEM;
		if (copy_from_user(list, a[1], n * sizeof(list[0])) < 0) {
			kfree(list);
			return -EFAULT;
		}
		sort(list, (unsigned)n);
	}
	kfree(cred.groups);
	cred.groups = list;
	cred.ngroups = (unsigned)n;
	return 0;
}

long sys_getgroups(const uint64_t a[6])
{
	int size = (int)a[0];

	if (size < 0 || (size && (unsigned)size < cred.ngroups))
		return -EINVAL;
	if (size && cred.ngroups &&
		copy_to_user(a[1], cred.groups, cred.ngroups * sizeof(cred.groups[0])) < 0)
		return -EFAULT;
	return cred.ngroups;
}

long sys_getpgrp(const uint64_t a[6])
{
	(void)a;
	return PID;
}

static long own_pid_only(uint64_t pid)
{
	return (int)pid == 0 || (int)pid == PID ? PID : -ESRCH;
}

long sys_getpgid(const uint64_t a[6])
{
	return own_pid_only(a[0]);
}

long sys_getsid(const uint64_t a[6])
{
	return own_pid_only(a[0]);
}

/* Process 1 leads its session and group already: Linux refuses both (setsid(2), setpgid(2)). */
long sys_setsid(const uint64_t a[6])
{
	(void)a;
	return -EPERM;
}

long sys_setpgid(const uint64_t a[6])
{
	if ((int)a[1] < 0)
		return -EINVAL;
	return own_pid_only(a[0]) < 0 ? -ESRCH : -EPERM;
}
