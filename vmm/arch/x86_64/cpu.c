/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: SDM volume 3, chapters 2.5 (control registers) and 5.8.8 (syscall); KVM's api.rst; the places where a
 * software-virtualized KVM differs are noted at each.
 */
#include "vmm/arch/x86_64/cpu.h"

#include "abi/layout.h"
#include "lib/err.h"
#include "lib/util.h"

#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#define CPUID_ENTRIES_MAX 256u

#define CPUID_1_ECX_DEADLINE   (1u << 24)
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_1_ECX_VMX        (1u << 5)
#define CPUID_1_ECX_CX16       (1u << 13)
#define CPUID_80000001_ECX_SVM (1u << 2)

#define CR0_ENTRY   0x80050033ull /* PG AM WP NE ET MP PE */
#define CR4_ENTRY   0x10620ull    /* FSGSBASE OSXMMEXCPT OSFXSR PAE */
#define CR4_OSXSAVE (1ull << 18)
#define EFER_ENTRY  0xd01ull /* NXE LMA LME SCE */

#define MSR_TSC      0x10u
#define MSRS_MAX     4u
#define MSR_STAR     0xc0000081u
#define MSR_LSTAR    0xc0000082u
#define MSR_SFMASK   0xc0000084u
#define RFLAGS_ENTRY 0x2ull
/* syscall clears TF, DF, NT, AC; never IF, which could not be set again at CPL 3. */
#define SFMASK_ENTRY 0x44500ull

/* Tile state needs a permission that the monitor does not ask for. */
#define XCR0_TILES 0x60000ull

static uint64_t xcr0_of(const struct kvm_cpuid2 *cpuid)
{
	for (unsigned i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 0xd && e->index == 0)
			return ((uint64_t)e->edx << 32 | e->eax) & ~XCR0_TILES;
	}
	return 0;
}

/* A processor without VMX and SVM: its KVM emulates CPL 0, and can not emulate cmpxchg16b, which kernels use where they may. */
static bool is_software_kvm(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & CPUID_1_ECX_VMX))
		return false;
	return !(__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & CPUID_80000001_ECX_SVM));
}

/* What tells of the host's processors is made to tell of one (SDM volume 2, CPUID; AMD volume 3, appendix E). */
static void make_single(struct kvm_cpuid_entry2 *e, bool deadline)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xff00) | 1u << 16;
		if (is_software_kvm())
			e->ecx &= ~CPUID_1_ECX_CX16;
		e->ecx |= CPUID_1_ECX_HYPERVISOR | (deadline ? CPUID_1_ECX_DEADLINE : 0);
		break;
	case 4:
		e->eax &= 0x3fff;
		break;
	case 0xb:
	case 0x1f:
		e->eax = 0;
		e->ebx = e->ebx ? 1 : 0;
		e->edx = 0;
		break;
	case 0x80000008:
		e->ecx = 0;
		break;
	case 0x8000001e:
		e->eax = e->ebx = e->ecx = 0;
		break;
	default:
		break;
	}
}

static int set_features(int kvm_fd, int vcpu_fd, bool standard, uint64_t *xcr0, struct err *err)
{
	size_t bytes =
		sizeof(struct kvm_cpuid2) + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2);
	_cleanup_free_ struct kvm_cpuid2 *cpuid = calloc(1, bytes);
	bool deadline;

	if (!cpuid)
		return err_set(err, ENOMEM, "out of memory");
	cpuid->nent = CPUID_ENTRIES_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0)
		return err_sys(err, errno, "KVM_GET_SUPPORTED_CPUID");
	deadline = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	for (unsigned i = 0; standard && i < cpuid->nent; i++)
		make_single(&cpuid->entries[i], deadline);
	if (ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0)
		return err_sys(err, errno, "KVM_SET_CPUID2");
	*xcr0 = xcr0_of(cpuid);
	return 0;
}

int cpu_set_features(int kvm_fd, int vcpu_fd, uint64_t *xcr0, struct err *err)
{
	return set_features(kvm_fd, vcpu_fd, false, xcr0, err);
}

int cpu_set_features_std(int kvm_fd, int vcpu_fd, uint64_t *xcr0, struct err *err)
{
	return set_features(kvm_fd, vcpu_fd, true, xcr0, err);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, uint8_t dpl)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = dpl,
		.s = 1,
		.g = 1,
	};
}

static void fill_sregs(struct kvm_sregs *sregs, gpa_t cr3, uint64_t xcr0)
{
	struct kvm_segment data = segment(UIG_SEL_DATA3, 3, 3);

	data.db = 1;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->cs = segment(UIG_SEL_CODE3, 11, 3);
	sregs->cs.l = 1;
	sregs->tr = (struct kvm_segment){
		.base = UIG_VA_KERNEL + UIG_GPA_TSS,
		.limit = 103,
		.selector = UIG_SEL_TSS,
		.type = 11,
		.present = 1,
	};
	sregs->ldt = (struct kvm_segment){.type = 2, .unusable = 1};
	sregs->gdt =
		(struct kvm_dtable){.base = UIG_VA_KERNEL + UIG_GPA_GDT, .limit = UIG_SEL_TSS + 15};
	sregs->idt = (struct kvm_dtable){.base = UIG_VA_KERNEL + UIG_GPA_IDT, .limit = 4095};
	sregs->cr0 = CR0_ENTRY;
	sregs->cr3 = cr3;
	sregs->cr4 = CR4_ENTRY | (xcr0 ? CR4_OSXSAVE : 0);
	sregs->efer = EFER_ENTRY;
}

/* Returns how many were taken, or -errno. */
static int write_msrs(int vcpu_fd, const struct kvm_msr_entry *entries, unsigned n)
{
	_Alignas(struct kvm_msrs)
		uint8_t raw[sizeof(struct kvm_msrs) + MSRS_MAX * sizeof(*entries)] = {0};
	struct kvm_msrs *msrs = (void *)raw;
	int r;

	msrs->nmsrs = n;
	memcpy(msrs->entries, entries, n * sizeof(*entries));
	r = ioctl(vcpu_fd, KVM_SET_MSRS, msrs);
	return r < 0 ? -errno : r;
}

static int set_msrs(int vcpu_fd, uint64_t lstar, struct err *err)
{
	const struct kvm_msr_entry entries[] = {
		{.index = MSR_STAR,
			.data = (uint64_t)UIG_STAR_USER << 48 | (uint64_t)UIG_SEL_CODE0 << 32},
		{.index = MSR_LSTAR, .data = lstar},
		{.index = MSR_SFMASK, .data = SFMASK_ENTRY},
	};
	int n = write_msrs(vcpu_fd, entries, ARRAY_SIZE(entries));

	if (n < 0)
		return err_sys(err, -n, "KVM_SET_MSRS");
	return n == (int)ARRAY_SIZE(entries)
		? 0
		: err_set(err, EIO, "KVM_SET_MSRS refused register %#x", entries[n].index);
}

static int set_xcr0(int vcpu_fd, uint64_t xcr0, struct err *err)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0] = {.xcr = 0, .value = xcr0}};

	if (xcr0 && ioctl(vcpu_fd, KVM_SET_XCRS, &xcrs) < 0)
		return err_sys(err, errno, "KVM_SET_XCRS %#llx", (unsigned long long)xcr0);
	return 0;
}

int cpu_enter_user(int vcpu_fd, gpa_t cr3, uint64_t lstar, uint64_t xcr0, struct err *err)
{
	struct kvm_sregs sregs;
	int r;

	if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return err_sys(err, errno, "KVM_GET_SREGS");
	fill_sregs(&sregs, cr3, xcr0);
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0)
		return err_sys(err, errno, "KVM_SET_SREGS");
	r = set_xcr0(vcpu_fd, xcr0, err);
	return r < 0 ? r : set_msrs(vcpu_fd, lstar, err);
}

int cpu_set_regs(int vcpu_fd, const struct cpu_regs *regs)
{
	struct kvm_regs kvm = {
		.rip = regs->rip,
		.rsp = regs->rsp,
		.rdi = regs->rdi,
		.rsi = regs->rsi,
		.rflags = RFLAGS_ENTRY,
	};

	return ioctl(vcpu_fd, KVM_SET_REGS, &kvm) < 0 ? -errno : 0;
}

int cpu_divert(int vcpu_fd, uint64_t limit, uint64_t target, uint64_t *rip)
{
	struct kvm_vcpu_events events;
	struct kvm_regs regs;

	/* KVM_SET_REGS would lose an exception that waits for delivery. */
	if (ioctl(vcpu_fd, KVM_GET_VCPU_EVENTS, &events) < 0)
		return -errno;
	if (events.exception.injected || events.exception.pending || events.interrupt.injected ||
		events.nmi.injected)
		return 0;
	if (ioctl(vcpu_fd, KVM_GET_REGS, &regs) < 0)
		return -errno;
	if (regs.rip >= limit)
		return 0;
	*rip = regs.rip;
	regs.rip = target;
	return ioctl(vcpu_fd, KVM_SET_REGS, &regs) < 0 ? -errno : 1;
}

uint64_t cpu_share_tsc(int vcpu_fd)
{
	uint64_t zero = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&zero,
	};
	int khz = ioctl(vcpu_fd, KVM_GET_TSC_KHZ, 0);

	/* Older kernels have no such attribute; writing the TSC comes within a microsecond or so there. A
	 * software-virtualized KVM takes either and shows the host's TSC anyway. */
	if (ioctl(vcpu_fd, KVM_SET_DEVICE_ATTR, &attr) < 0) {
		const struct kvm_msr_entry tsc = {.index = MSR_TSC, .data = cpu_tsc()};

		write_msrs(vcpu_fd, &tsc, 1);
	}
	return khz > 0 ? (uint64_t)khz : 0;
}
