/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the process is (credentials(7)) and what it may (capabilities(7)). It starts as root with all of them. There is one set for all
 * threads, as the C libraries make it anyhow; sys_ids.c and sys_caps.c change it, the file systems ask.
 */
#ifndef LIBOS_SYS_CRED_H
#define LIBOS_SYS_CRED_H

#include <stdbool.h>
#include <stdint.h>

enum cap {
	CAP_CHOWN = 0,
	CAP_DAC_OVERRIDE = 1,
	CAP_DAC_READ_SEARCH = 2,
	CAP_FOWNER = 3,
	CAP_FSETID = 4,
	CAP_KILL = 5,
	CAP_SETGID = 6,
	CAP_SETUID = 7,
	CAP_SETPCAP = 8,
	CAP_NET_BIND_SERVICE = 10,
	CAP_IPC_LOCK = 14,
	CAP_IPC_OWNER = 15,
	CAP_SYS_CHROOT = 18,
	CAP_SYS_ADMIN = 21,
	CAP_SYS_BOOT = 22,
	CAP_SYS_NICE = 23,
	CAP_SYS_RESOURCE = 24,
	CAP_SYS_TIME = 25,
	CAP_MKNOD = 27,
	CAP_LAST = 40,
};
#define CAP_ALL      ((1ull << (CAP_LAST + 1)) - 1)
#define CAP_BIT(cap) (1ull << (cap))

struct ids {
	uint32_t real, effective, saved, fs;
};

struct caps {
	uint64_t effective, permitted, inheritable, bounding, ambient;
	unsigned securebits; /* prctl(2), PR_SET_SECUREBITS; bit 4 is PR_SET_KEEPCAPS */
};
#define SECBIT_NO_SETUID_FIXUP      4u
#define SECBIT_KEEP_CAPS            16u
#define SECBIT_NO_CAP_AMBIENT_RAISE 64u

struct cred {
	struct ids uid, gid;
	struct caps caps;
	uint32_t *groups; /* sorted */
	unsigned ngroups;
};
extern struct cred cred;

static inline bool cred_has(enum cap cap)
{
	return cred.caps.effective >> cap & 1;
}
/* Is gid one of its supplementary groups? */
bool cred_in_groups(uint32_t gid);
/* What changes of the user's numbers mean for the capabilities: was is what they were before. */
void caps_after_setuid(const struct ids *was);
void caps_after_setfsuid(uint32_t was);

/* prctl's operations on capabilities. */
long caps_bounding_drop(uint64_t cap);
long caps_ambient(const uint64_t a[6]);
long caps_securebits(uint64_t bits);

#endif
