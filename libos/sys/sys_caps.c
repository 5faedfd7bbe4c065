/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities of the process (capabilities(7)): capget, capset, prctl's part, and what a change of user does to them. */
#include "libos/klib/errno.h"
#include "libos/mem/uaccess.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"

#define PID           1
#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u
#define SECBITS_ALL   0xffu
#define SECBITS_LOCKS 0xaau /* each is left of the bit that it locks */
/* What setfsuid(2) takes away and gives back: CHOWN, DAC_*, FOWNER, FSETID, LINUX_IMMUTABLE, MKNOD, MAC_OVERRIDE. */
#define CAP_FS_SET (0x1full | CAP_BIT(9) | CAP_BIT(CAP_MKNOD) | CAP_BIT(32))

#define PR_CAP_AMBIENT_IS_SET    1
#define PR_CAP_AMBIENT_RAISE     2
#define PR_CAP_AMBIENT_LOWER     3
#define PR_CAP_AMBIENT_CLEAR_ALL 4

struct cap_header {
	uint32_t version;
	int32_t pid;
};

struct cap_data {
	uint32_t effective, permitted, inheritable;
};

void caps_after_setuid(const struct ids *was)
{
	struct caps *c = &cred.caps;
	const struct ids *now = &cred.uid;

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if ((!was->real || !was->effective || !was->saved) &&
		(now->real && now->effective && now->saved)) {
		if (!(c->securebits & SECBIT_KEEP_CAPS))
			c->permitted = c->effective = 0;
		c->ambient = 0;
	}
	if (!was->effective && now->effective)
		c->effective = 0;
	if (was->effective && !now->effective)
		c->effective = c->permitted;
}

void caps_after_setfsuid(uint32_t was)
{
	struct caps *c = &cred.caps;

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (!was && cred.uid.fs)
		c->effective &= ~CAP_FS_SET;
	if (was && !cred.uid.fs)
		c->effective |= c->permitted & CAP_FS_SET;
}

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
	const struct caps *c = &cred.caps;
	struct cap_data data[2];
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
	for (int i = 0; i < 2; i++)
		data[i] = (struct cap_data){(uint32_t)(c->effective >> 32 * i),
			(uint32_t)(c->permitted >> 32 * i), (uint32_t)(c->inheritable >> 32 * i)};
	return a[1] && copy_to_user(a[1], data, (size_t)n * sizeof(data[0])) < 0 ? -EFAULT : 0;
}

long sys_capset(const uint64_t a[6])
{
	struct cap_data data[2] = {{0, 0, 0}, {0, 0, 0}};
	struct caps *c = &cred.caps;
	uint64_t effective, permitted, inheritable;
	struct cap_header header;
	int n = cap_words(a[0], &header);

	if (n < 0)
		return n;
	if (header.pid != 0 && header.pid != PID)
		return -EPERM;
	if (copy_from_user(data, a[1], (size_t)n * sizeof(data[0])) < 0)
		return -EFAULT;
	effective = (data[0].effective | (uint64_t)data[1].effective << 32) & CAP_ALL;
	permitted = (data[0].permitted | (uint64_t)data[1].permitted << 32) & CAP_ALL;
	inheritable = (data[0].inheritable | (uint64_t)data[1].inheritable << 32) & CAP_ALL;
	if ((permitted & ~c->permitted) || (effective & ~permitted) ||
		(inheritable & ~(c->inheritable | c->bounding)) ||
		(!cred_has(CAP_SETPCAP) && (inheritable & ~(c->inheritable | c->permitted))))
		return -EPERM;
	c->effective = effective;
	c->permitted = permitted;
	c->inheritable = inheritable;
	c->ambient &= permitted & inheritable;
	return 0;
}

long caps_bounding_drop(uint64_t cap)
{
	if (!cred_has(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST)
		return -EINVAL;
	cred.caps.bounding &= ~CAP_BIT(cap);
	return 0;
}

long caps_ambient(const uint64_t a[6])
{
	struct caps *c = &cred.caps;
	uint64_t bit = CAP_BIT(a[2] & 63);

	if (a[1] == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (a[2] || a[3] || a[4])
			return -EINVAL;
		c->ambient = 0;
		return 0;
	}
	if (a[2] > CAP_LAST || a[3] || a[4])
		return -EINVAL;
	switch (a[1]) {
	case PR_CAP_AMBIENT_IS_SET:
		return !!(c->ambient & bit);
	case PR_CAP_AMBIENT_RAISE:
		if (!(c->permitted & c->inheritable & bit) ||
			c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)
			return -EPERM;
		c->ambient |= bit;
		return 0;
	case PR_CAP_AMBIENT_LOWER:
		c->ambient &= ~bit;
		return 0;
	default:
		return -EINVAL;
	}
}

long caps_securebits(uint64_t bits)
{
	unsigned old = cred.caps.securebits, locked = (old & SECBITS_LOCKS) >> 1;

	if ((locked & (old ^ bits)) || (old & SECBITS_LOCKS & ~bits) ||
		(bits & ~(uint64_t)SECBITS_ALL) || !cred_has(CAP_SETPCAP))
		return -EPERM;
	cred.caps.securebits = (unsigned)bits;
	return 0;
}
