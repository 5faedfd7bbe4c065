/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/arch/x86_64/cpu_state.h"

#include "lib/err.h"
#include "lib/util.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CPUID_ENTRIES_MAX 256u

/* Not the TSC: guests see the host's. A KVM that does not know one of them has nothing to keep of it. */
static const uint32_t kept_msrs[] = {
	0xc0000081, /* STAR */
	0xc0000082, /* LSTAR */
	0xc0000084, /* SFMASK */
	0xc0000102, /* KERNEL_GS_BASE */
	0xc0000103, /* TSC_AUX */
};
_Static_assert(ARRAY_SIZE(kept_msrs) <= CPU_STATE_MSRS, "they have room");

static int move_msr(int vcpu_fd, unsigned long request, struct kvm_msr_entry *entry)
{
	_Alignas(struct kvm_msrs) uint8_t raw[sizeof(struct kvm_msrs) + sizeof(*entry)] = {0};
	struct kvm_msrs *msrs = (void *)raw;
	int r;

	msrs->nmsrs = 1;
	memcpy(raw + sizeof(*msrs), entry, sizeof(*entry));
	r = ioctl(vcpu_fd, request, msrs);
	memcpy(entry, raw + sizeof(*msrs), sizeof(*entry));
	return r < 0 ? -errno : r;
}

static void get_msrs(int vcpu_fd, struct cpu_state *state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kept_msrs); i++) {
		struct kvm_msr_entry entry = {.index = kept_msrs[i]};

		if (move_msr(vcpu_fd, KVM_GET_MSRS, &entry) == 1)
			state->msr[state->nmsrs++] = entry;
	}
}

int cpu_state_get(int vcpu_fd, struct cpu_state *state, struct err *err)
{
	struct kvm_xcrs xcrs = {0};

	memset(state, 0, sizeof(*state));
	if (ioctl(vcpu_fd, KVM_GET_REGS, &state->regs) < 0)
		return err_sys(err, errno, "KVM_GET_REGS");
	if (ioctl(vcpu_fd, KVM_GET_SREGS, &state->sregs) < 0)
		return err_sys(err, errno, "KVM_GET_SREGS");
	if (ioctl(vcpu_fd, KVM_GET_VCPU_EVENTS, &state->events) < 0)
		return err_sys(err, errno, "KVM_GET_VCPU_EVENTS");
	if (ioctl(vcpu_fd, KVM_GET_XSAVE, &state->xsave) < 0)
		return err_sys(err, errno, "KVM_GET_XSAVE");
	if (ioctl(vcpu_fd, KVM_GET_XCRS, &xcrs) == 0 && xcrs.nr_xcrs > 0)
		state->xcr0 = xcrs.xcrs[0].value;
	get_msrs(vcpu_fd, state);
	return 0;
}

static int set_msrs(int vcpu_fd, const struct cpu_state *state, struct err *err)
{
	for (unsigned i = 0; i < state->nmsrs && i < CPU_STATE_MSRS; i++) {
		struct kvm_msr_entry entry = state->msr[i];
		bool kept = false;

		for (unsigned k = 0; k < ARRAY_SIZE(kept_msrs); k++)
			kept |= kept_msrs[k] == entry.index;
		if (!kept || move_msr(vcpu_fd, KVM_SET_MSRS, &entry) != 1)
			return err_set(err, EINVAL, "register %#x can not be set", entry.index);
	}
	return 0;
}

/* The system registers first: what else may be set depends on them. */
int cpu_state_set(int vcpu_fd, const struct cpu_state *state, struct err *err)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0] = {.xcr = 0, .value = state->xcr0}};
	struct cpu_state copy = *state; /* the requests take no const */

	if (ioctl(vcpu_fd, KVM_SET_SREGS, &copy.sregs) < 0)
		return err_sys(err, errno, "KVM_SET_SREGS");
	if (state->xcr0 && ioctl(vcpu_fd, KVM_SET_XCRS, &xcrs) < 0)
		return err_sys(err, errno, "KVM_SET_XCRS");
	if (ioctl(vcpu_fd, KVM_SET_XSAVE, &copy.xsave) < 0)
		return err_sys(err, errno, "KVM_SET_XSAVE");
	if (ioctl(vcpu_fd, KVM_SET_REGS, &copy.regs) < 0)
		return err_sys(err, errno, "KVM_SET_REGS");
	if (ioctl(vcpu_fd, KVM_SET_VCPU_EVENTS, &copy.events) < 0)
		return err_sys(err, errno, "KVM_SET_VCPU_EVENTS");
	return set_msrs(vcpu_fd, state, err);
}

int cpu_state_get_regs(int vcpu_fd, struct kvm_regs *regs)
{
	return ioctl(vcpu_fd, KVM_GET_REGS, regs) < 0 ? -errno : 0;
}

int cpu_state_set_regs(int vcpu_fd, const struct kvm_regs *regs)
{
	struct kvm_regs copy = *regs;

	return ioctl(vcpu_fd, KVM_SET_REGS, &copy) < 0 ? -errno : 0;
}

static uint64_t mix(uint64_t hash, uint32_t word)
{
	for (unsigned i = 0; i < sizeof(word); i++)
		hash = (hash ^ (word >> 8 * i & 0xff)) * 0x100000001b3ull; /* FNV-1a */
	return hash;
}

/* Leaves that tell of one of the host's processors, and not of all (SDM volume 2, CPUID; AMD volume 3, appendix E), are left out. */
static uint64_t mix_leaf(uint64_t hash, const struct kvm_cpuid_entry2 *e)
{
	uint32_t ebx = e->ebx;

	if (e->function == 0xb || e->function == 0x1f || e->function == 0x8000001e)
		return hash;
	if (e->function == 1)
		ebx &= 0xff00; /* number of the processor */
	hash = mix(mix(hash, e->function), e->index);
	return mix(mix(mix(mix(hash, e->eax), ebx), e->ecx), e->edx);
}

int cpu_state_fingerprint(int kvm_fd, uint64_t *fingerprint, struct err *err)
{
	size_t bytes =
		sizeof(struct kvm_cpuid2) + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2);
	_cleanup_free_ struct kvm_cpuid2 *cpuid = calloc(1, bytes);
	uint64_t hash = 0xcbf29ce484222325ull;

	if (!cpuid)
		return err_set(err, ENOMEM, "out of memory");
	cpuid->nent = CPUID_ENTRIES_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0)
		return err_sys(err, errno, "KVM_GET_SUPPORTED_CPUID");
	for (unsigned i = 0; i < cpuid->nent; i++)
		hash = mix_leaf(hash, &cpuid->entries[i]);
	*fingerprint = hash;
	return 0;
}
