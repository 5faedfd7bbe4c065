/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities of the one process: pid 1 in a session and group of its own. It is root; it may become another user
 * (memcached -u, nginx), which is remembered and answered, and changes nothing else: there is nobody to be protected from.
 */
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/uaccess.h"
#include "libos/sys/syscall.h"

#define PID     1
#define NGROUPS 32
#define ID_KEEP 0xffffffffu /* (uid_t)-1: leave as it is */

struct ids {
	uint32_t real, effective, saved;
};

static struct ids uids, gids;
static uint32_t groups[NGROUPS];
static int ngroups;

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
	return uids.real;
}

long sys_geteuid(const uint64_t a[6])
{
	(void)a;
	return uids.effective;
}

long sys_getgid(const uint64_t a[6])
{
	(void)a;
	return gids.real;
}

long sys_getegid(const uint64_t a[6])
{
	(void)a;
	return gids.effective;
}

/* setuid(2) and setgid(2): a privileged caller sets all three, another one only to an id that it has. */
static long set_one(struct ids *ids, uint32_t id)
{
	if (id == ID_KEEP)
		return -EINVAL;
	if (uids.effective == 0) {
		ids->real = ids->effective = ids->saved = id;
		return 0;
	}
	if (id != ids->real && id != ids->saved)
		return -EPERM;
	ids->effective = id;
	return 0;
}

static int may_take(const struct ids *ids, uint32_t id)
{
	return id == ID_KEEP || uids.effective == 0 || id == ids->real || id == ids->effective ||
		id == ids->saved;
}

static long set_three(struct ids *ids, uint32_t real, uint32_t effective, uint32_t saved)
{
	if (!may_take(ids, real) || !may_take(ids, effective) || !may_take(ids, saved))
		return -EPERM;
	if (real != ID_KEEP)
		ids->real = real;
	if (effective != ID_KEEP)
		ids->effective = effective;
	if (saved != ID_KEEP)
		ids->saved = saved;
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
	uint32_t old_real = ids->real;
	long r = set_three(ids, real, effective, ID_KEEP);

	if (r == 0 && (real != ID_KEEP || (effective != ID_KEEP && effective != old_real)))
		ids->saved = ids->effective;
	return r;
}

long sys_setuid(const uint64_t a[6])
{
	return set_one(&uids, (uint32_t)a[0]);
}

long sys_setgid(const uint64_t a[6])
{
	return set_one(&gids, (uint32_t)a[0]);
}

long sys_setresuid(const uint64_t a[6])
{
	return set_three(&uids, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

long sys_setresgid(const uint64_t a[6])
{
	return set_three(&gids, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

long sys_getresuid(const uint64_t a[6])
{
	return get_three(&uids, a);
}

long sys_getresgid(const uint64_t a[6])
{
	return get_three(&gids, a);
}

long sys_setreuid(const uint64_t a[6])
{
	return set_two(&uids, (uint32_t)a[0], (uint32_t)a[1]);
}

long sys_setregid(const uint64_t a[6])
{
	return set_two(&gids, (uint32_t)a[0], (uint32_t)a[1]);
}

long sys_setgroups(const uint64_t a[6])
{
	uint32_t list[NGROUPS];
	uint64_t n = (uint32_t)a[0];

	if (uids.effective != 0)
		return -EPERM;
	if (n > NGROUPS)
		return -EINVAL;
	if (n && copy_from_user(list, a[1], n * sizeof(list[0])) < 0)
		return -EFAULT;
	for (uint64_t i = 0; i < n; i++) { /* kept in order, as Linux does */
		uint64_t at = i;

		for (; at > 0 && groups[at - 1] > list[i]; at--)
			groups[at] = groups[at - 1];
		groups[at] = list[i];
	}
	ngroups = (int)n;
	return 0;
}

long sys_getgroups(const uint64_t a[6])
{
	int size = (int)a[0];

	if (size < 0 || (size && size < ngroups))
		return -EINVAL;
	if (size && ngroups && copy_to_user(a[1], groups, (size_t)ngroups * sizeof(groups[0])) < 0)
		return -EFAULT;
	return ngroups;
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

/* ---- capabilities: all of them, as root in a machine of its own (capget(2)) */

#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u
#define CAP_LAST      40

struct cap_header {
	uint32_t version;
	int32_t pid;
};

struct cap_data {
	uint32_t effective, permitted, inheritable;
};

static struct cap_data caps[2] = {{0xffffffffu, 0xffffffffu, 0},
	{(1u << (CAP_LAST - 31)) - 1, (1u << (CAP_LAST - 31)) - 1, 0}};

/* Number of struct cap_data for the version in the header, or -errno; an unknown version is answered with ours. */
static int cap_words(uptr_t uheader, struct cap_header *header)
{
	uint32_t ours = CAP_VERSION_3;

	if (get_user(header, uheader) < 0)
		return -EFAULT;
	if (header->version == CAP_VERSION_1)
		return 1;
	if (header->version == CAP_VERSION_2 || header->version == CAP_VERSION_3)
		return 2;
	if (put_user(uheader, &ours) < 0)
		return -EFAULT;
	return -EINVAL;
}

long sys_capget(const uint64_t a[6])
{
	struct cap_header header;
	int n = cap_words(a[0], &header);

	if (n == -EINVAL && a[1] == 0)
		return 0;
	if (n < 0)
		return n;
	if (header.pid < 0)
		return -EINVAL;
	if (header.pid != 0 && header.pid != PID)
		return -ESRCH;
	return a[1] && copy_to_user(a[1], caps, (size_t)n * sizeof(caps[0])) < 0 ? -EFAULT : 0;
}

long sys_capset(const uint64_t a[6])
{
	struct cap_header header;
	struct cap_data data[2] = {{0, 0, 0}, {0, 0, 0}};
	int n = cap_words(a[0], &header);

	if (n < 0)
		return n;
	if (header.pid != 0 && header.pid != PID)
		return -EPERM;
	if (copy_from_user(data, a[1], (size_t)n * sizeof(data[0])) < 0)
		return -EFAULT;
	for (int i = 0; i < n; i++) {
		if ((data[i].permitted & ~caps[i].permitted) ||
			(data[i].effective & ~data[i].permitted))
			return -EPERM;
	}
	memcpy(caps, data, (size_t)n * sizeof(caps[0]));
	return 0;
}
