/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/arch/x86_64/cpu_std.h"

#include "lib/err.h"
#include "vmm/mem.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#define GDT_GPA   0x500ull
#define IDT_GPA   0x520ull
#define PML4_GPA  0x9000ull
#define PDPT_GPA  0xa000ull
#define PD_GPA    0xb000ull
#define STACK_GPA 0x8ff0ull

#define CR0_PE   0x1ull
#define CR0_ET   0x10ull
#define CR0_PG   0x80000000ull
#define CR4_PAE  0x20ull
#define EFER_LME 0x100ull
#define EFER_LMA 0x400ull

#define PTE_TABLE 0x3ull  /* present, writable */
#define PTE_LARGE 0x83ull /* and of 2 MiB */

#define GDT_CODE32 0x00cf9b000000ffffull
#define GDT_CODE64 0x00af9b000000ffffull
#define GDT_DATA   0x00cf93000000ffffull
#define GDT_TSS    0x008f8b000000ffffull

#define LVT0_OFFSET   0x350u
#define LVT1_OFFSET   0x360u
#define MODE_EXTINT   0x700u
#define MODE_NMI      0x400u
#define LVT_MODE_MASK 0x700u

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool data, bool l)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = data,
		.l = l,
		.db = data && !l,
		.g = 1,
	};
}

static int write_gdt(const struct mem *mem, bool long_mode)
{
	uint64_t *gdt = mem_at(mem, GDT_GPA, 4 * sizeof(*gdt));

	if (!gdt)
		return -EINVAL;
	gdt[0] = 0;
	gdt[1] = long_mode ? GDT_CODE64 : GDT_CODE32;
	gdt[2] = GDT_DATA;
	gdt[3] = GDT_TSS;
	return 0;
}

static int write_tables(const struct mem *mem)
{
	uint64_t *pml4 = mem_at(mem, PML4_GPA, 4096), *pdpt = mem_at(mem, PDPT_GPA, 4096);
	uint64_t *pd = mem_at(mem, PD_GPA, 4096);

	if (!pml4 || !pdpt || !pd)
		return -EINVAL;
	pml4[0] = PDPT_GPA | PTE_TABLE;
	pdpt[0] = PD_GPA | PTE_TABLE;
	for (unsigned i = 0; i < 512; i++)
		pd[i] = (uint64_t)i << 21 | PTE_LARGE;
	return 0;
}

static void set_segments(struct kvm_sregs *s, bool long_mode)
{
	s->cs = segment(0x08, 11, true, long_mode);
	s->ds = s->es = s->fs = s->gs = s->ss = segment(0x10, 3, true, false);
	s->tr = segment(0x18, 11, false, false);
	s->tr.limit = 0x67;
	s->tr.g = 0;
	s->gdt = (struct kvm_dtable){.base = GDT_GPA, .limit = 31};
	s->idt = (struct kvm_dtable){.base = IDT_GPA, .limit = 7};
}

static int enter(int vcpu_fd, const struct mem *mem, bool long_mode, const struct kvm_regs *regs,
	struct err *err)
{
	struct kvm_sregs sregs;

	if (write_gdt(mem, long_mode) < 0 || (long_mode && write_tables(mem) < 0))
		return err_set(err, EINVAL, "too little RAM for the first tables");
	if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
		return err_sys(err, errno, "KVM_GET_SREGS");
	set_segments(&sregs, long_mode);
	sregs.cr0 = CR0_PE | CR0_ET;
	sregs.cr4 = 0;
	sregs.efer = 0;
	if (long_mode) {
		sregs.cr0 |= CR0_PG;
		sregs.cr3 = PML4_GPA;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LME | EFER_LMA;
	}
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0)
		return err_sys(err, errno, "KVM_SET_SREGS");
	return ioctl(vcpu_fd, KVM_SET_REGS, regs) < 0 ? err_sys(err, errno, "KVM_SET_REGS") : 0;
}

int cpu_enter_pvh(
	int vcpu_fd, const struct mem *mem, gpa_t entry, gpa_t start_info, struct err *err)
{
	struct kvm_regs regs = {.rip = entry, .rbx = start_info, .rflags = 2};

	return enter(vcpu_fd, mem, false, &regs, err);
}

int cpu_enter_linux(
	int vcpu_fd, const struct mem *mem, gpa_t entry, gpa_t boot_params, struct err *err)
{
	struct kvm_regs regs = {
		.rip = entry, .rsi = boot_params, .rsp = STACK_GPA, .rbp = STACK_GPA, .rflags = 2};

	return enter(vcpu_fd, mem, true, &regs, err);
}

static void set_mode(struct kvm_lapic_state *lapic, unsigned offset, uint32_t mode)
{
	uint32_t lvt;

	memcpy(&lvt, lapic->regs + offset, sizeof(lvt));
	lvt = (lvt & ~LVT_MODE_MASK) | mode;
	memcpy(lapic->regs + offset, &lvt, sizeof(lvt));
}

int cpu_set_lint(int vcpu_fd, struct err *err)
{
	struct kvm_lapic_state lapic;

	if (ioctl(vcpu_fd, KVM_GET_LAPIC, &lapic) < 0)
		return err_sys(err, errno, "KVM_GET_LAPIC");
	set_mode(&lapic, LVT0_OFFSET, MODE_EXTINT);
	set_mode(&lapic, LVT1_OFFSET, MODE_NMI);
	return ioctl(vcpu_fd, KVM_SET_LAPIC, &lapic) < 0 ? err_sys(err, errno, "KVM_SET_LAPIC") : 0;
}
