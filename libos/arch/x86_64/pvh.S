/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry on standard machines (QEMU microvm, Firecracker): PVH, 32-bit, paging off, RBX = hvm_start_info. Builds the same machine that
 * uvmm gives at entry (abi/layout.h: virtual map, GDT, TSS, system-call registers) out of static tables, then goes to CPL 3.
 * CPL 0 may be emulated instruction by instruction, so there are no loops here.
 */
#include "libos/arch/x86_64/asm.h"
#include "libos/arch/x86_64/regs.h"

#define PHYS(x) ((x) - ASM_VA_KERNEL)

#define PTE_TABLE  0x27		/* present, writable, user, accessed */
#define PTE_LARGE  0xe7		/* and dirty, 2 MiB */
#define PTE_DEVICE 0xff		/* and not cached */

#define CR0_VALUE  0x80050033
#define EFER_MSR   0xc0000080

	.section .note.Xen, "a", @note
	.balign 4
	.long	2f - 1f, 4f - 3f, 18	/* XEN_ELFNOTE_PHYS32_ENTRY */
1:	.asciz	"Xen"
2:	.balign 4
3:	.long	PHYS(pvh_entry)
4:

	.section .text.entry, "ax"
	.code32
	.globl pvh_entry
	.type pvh_entry, @function
pvh_entry:
	cld
	movl	%ebx, %edi
	movl	$(PHYS(standard_tss) + 0x80000000), %eax	/* the address inside the TSS descriptor */
	movw	%ax, PHYS(standard_gdt + ASM_SEL_TSS + 2)
	shrl	$16, %eax
	movb	%al, PHYS(standard_gdt + ASM_SEL_TSS + 4)
	movb	%ah, PHYS(standard_gdt + ASM_SEL_TSS + 7)

	movl	$7, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	$0x620, %esi			/* PAE OSFXSR OSXMMEXCPT */
	testl	$1, %ebx
	jz	1f
	orl	$0x10000, %esi			/* FSGSBASE */
1:	movl	$1, %eax
	cpuid
	testl	$(1 << 26), %ecx
	jz	1f
	orl	$0x40000, %esi			/* OSXSAVE */
1:	movl	%esi, %cr4
	movl	$PHYS(standard_pml4), %eax
	movl	%eax, %cr3
	movl	$EFER_MSR, %ecx
	movl	$0x901, %eax			/* SCE LME NXE */
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_VALUE, %eax
	movl	%eax, %cr0
	lgdt	PHYS(gdt_pointer_low)
	ljmp	$ASM_SEL_CODE0, $PHYS(1f)

	.code64
1:	movq	$2f, %rax
	jmp	*%rax
2:	lgdt	gdt_pointer(%rip)
	movl	$ASM_SEL_DATA0, %eax
	movl	%eax, %ss
	movl	$ASM_SEL_DATA3, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	leaq	ring0_stack_top(%rip), %rsp
	movl	$ASM_SEL_TSS, %eax
	ltr	%ax
	lidt	idt_pointer(%rip)
	testl	$0x40000, %esi
	jz	3f
	movl	$0xd, %eax			/* XCR0: what there is of x87 SSE AVX AVX-512 PKRU */
	xorl	%ecx, %ecx
	cpuid
	andl	$0x2e7, %eax
	xorl	%edx, %edx
	xorl	%ecx, %ecx
	xsetbv
3:	fninit
	movl	$0xc0000081, %ecx		/* STAR */
	xorl	%eax, %eax
	movl	$((ASM_STAR_USER << 16) | ASM_SEL_CODE0), %edx
	wrmsr
	incl	%ecx				/* LSTAR */
	movq	$lstar, %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
	movl	$0xc0000084, %ecx		/* SFMASK */
	movl	$(RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC), %eax
	xorl	%edx, %edx
	wrmsr
	movb	$0xff, %al			/* the old interrupt controllers stay silent */
	outb	%al, $0x21
	outb	%al, $0xa1
	movl	%edi, %edi
	pushq	$ASM_SEL_DATA3
	leaq	boot_stack_top(%rip), %rax
	pushq	%rax
	pushq	$(RFLAGS_ONE | RFLAGS_IOPL)
	pushq	$ASM_SEL_CODE3
	leaq	3f(%rip), %rax
	pushq	%rax
	iretq
	/* CPL 3, as under uvmm */
3:	xorl	%ebp, %ebp
	call	standard_main
	ud2

	.section .data.page, "aw", @progbits
	.balign 4096
	.globl standard_pml4
standard_pml4:
	.quad	PHYS(standard_pdpt_direct) + PTE_TABLE	/* identity, until standard_main */
	.fill	271, 8, 0
	.quad	PHYS(standard_pdpt_direct) + PTE_TABLE	/* UIG_VA_DIRECT */
	.fill	238, 8, 0
	.quad	PHYS(standard_pdpt_kernel) + PTE_TABLE
	.globl standard_pdpt_direct
standard_pdpt_direct:
	.quad	PHYS(standard_pd_low) + PTE_TABLE
	.fill	511, 8, 0
standard_pdpt_kernel:
	.fill	510, 8, 0
	.quad	PHYS(standard_pd_low) + PTE_TABLE
	.quad	PHYS(standard_pd_device) + PTE_TABLE
standard_pd_low:
	.set	at, 0
	.rept	512
	.quad	at + PTE_LARGE
	.set	at, at + 0x200000
	.endr
standard_pd_device:
	.set	at, 0xc0000000
	.rept	512
	.quad	at + PTE_DEVICE
	.set	at, at + 0x200000
	.endr

	.data
	.balign 16
standard_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08 code, CPL 0, 64-bit */
	.quad	0x00cf93000000ffff	/* 0x10 data, CPL 0 */
	.quad	0
	.quad	0
	.quad	0x00cff3000000ffff	/* 0x28 data, CPL 3 */
	.quad	0x00affb000000ffff	/* 0x30 code, CPL 3, 64-bit */
	.quad	0
	.quad	0x0000890000000000 + (standard_tss_end - standard_tss - 1)	/* 0x40 TSS */
	.quad	0xffffffff
gdt_pointer_low:
	.word	. - standard_gdt - 1
	.long	PHYS(standard_gdt), 0
gdt_pointer:
	.word	gdt_pointer_low - standard_gdt - 1
	.quad	standard_gdt
idt_pointer:
	.word	4095
	.quad	standard_idt

/* RSP0, IST (written by idt.c), and ports that the libOS uses itself: serial, clock chip, keyboard controller (reset). */
	.balign 16
	.globl standard_tss
standard_tss:
	.long	0
	.quad	ring0_stack_top
	.fill	90, 1, 0
	.word	104
	.fill	0x60 / 8, 1, 0xff
	.byte	0xff & ~(1 << 4)		/* 0x64 */
	.fill	0x70 / 8 - 0x68 / 8, 1, 0xff
	.byte	0xff & ~3			/* 0x70, 0x71 */
	.fill	0x3f8 / 8 - 0x78 / 8, 1, 0xff
	.byte	0				/* 0x3f8 - 0x3ff */
	.byte	0xff
standard_tss_end:

	.section .bss.page, "aw", @nobits
	.balign 4096
	.globl standard_idt
standard_idt:
	.skip	4096
	.skip	2048
ring0_stack_top:
	.skip	2048
	.globl standard_nmi_stack_top
standard_nmi_stack_top:
	.section .note.GNU-stack, "", @progbits
