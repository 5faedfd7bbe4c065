/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way into and out of the libOS. All of it runs at CPL 3, but for what stands under "CPL 0".
 *
 * System calls arrive at `lstar`: on hardware and under TCG at CPL 0, from where they leave at once to the same code at CPL 3 by
 * sysretq; where ring 3 is run natively and ring 0 is not (PVM) they arrive at CPL 3 already. RCX holds the return address and R11
 * the flags; both are parked in memory. There is one vCPU and IF is never set at CPL 3, so nothing can come between.
 *
 * Exceptions arrive at CPL 3 on an IST stack, because a frame on the interrupted stack would be written over the program's red
 * zone. The frame is moved to the thread's libOS stack (or below the interrupted libOS frame), so that a handler may fault again.
 */
#include "libos/arch/x86_64/asm.h"
#include "libos/arch/x86_64/regs.h"

/* The general registers of a struct regs, above which vector and frame stand already. */
.macro push_registers rcx=%rcx, r11=%r11
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	\rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	\r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	$0
.endm

.macro pop_registers
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
.endm

	.section .text.entry, "ax"

/* ---- entry under uvmm: RDI = boot information, RSP = boot stack */
	.globl uvmm_entry
	.type uvmm_entry, @function
uvmm_entry:
	xorl	%ebp, %ebp
	call	libos_main
	ud2

/* ---- system calls */
	.globl lstar
	.type lstar, @function
	.balign 16
lstar:
	movq	%rcx, saved_rcx(%rip)
	movq	%r11, saved_r11(%rip)
	movl	%cs, %ecx
	testb	$3, %cl
	jnz	1f
	/* CPL 0 */
	leaq	1f(%rip), %rcx
	movl	libos_flags(%rip), %r11d
	sysretq
1:	movq	%rsp, saved_rsp(%rip)
	movq	cur_kstack_top(%rip), %rsp
	pushq	$ASM_SEL_DATA3
	pushq	saved_rsp(%rip)
	pushq	saved_r11(%rip)
	pushq	$ASM_SEL_CODE3
	pushq	saved_rcx(%rip)
	pushq	saved_rcx(%rip)	/* error: where the short way back leads */
	pushq	$VECTOR_SYSCALL
	pushq	%rax
	push_registers saved_rcx(%rip), saved_r11(%rip)
	testl	$(RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC), saved_r11(%rip)
	jz	2f
	pushq	libos_flags(%rip)	/* SFMASK is not fully applied under PVM */
	popfq
2:	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	call	syscall_trap
syscall_return:
	testl	%eax, %eax
	jnz	return_full
	pop_registers
	addq	$16, %rsp	/* orig_rax vector */
	popq	saved_rcx(%rip)	/* error: RCX itself, or the rest of a stub */
	addq	$16, %rsp	/* rip cs */
	popfq
	popq	%rsp
	jmp	*saved_rcx(%rip)

/* ---- system calls from stubs (patch_code.h): as above, but RCX and R11 hold the address behind the call and the way back, and the
 * flags are the program's still. */
	.globl patched_entry
	.type patched_entry, @function
	.balign 16
patched_entry:
	movq	%rsp, saved_rsp(%rip)
	movq	cur_kstack_top(%rip), %rsp
	pushq	$ASM_SEL_DATA3
	pushq	saved_rsp(%rip)
	pushfq
2:	pushq	$ASM_SEL_CODE3
	pushq	%rcx
	pushq	%r11
	pushq	$VECTOR_SYSCALL
	pushq	%rax
	movq	(5 * 8)(%rsp), %r11
	push_registers
	testl	$(RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC), %r11d
	jz	1f
	pushq	libos_flags(%rip)
	popfq
1:	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	call	syscall_entry
	jmp	syscall_return
patched_entry_stepped:
	movq	%rsp, saved_rsp(%rip)
	movq	cur_kstack_top(%rip), %rsp
	pushq	$ASM_SEL_DATA3
	pushq	saved_rsp(%rip)
	pushfq
	orl	$RFLAGS_TF, (%rsp)
	jmp	2b

/* ---- upcall: the program was interrupted (abi/identity.h); its RIP is in the upcall page, all other registers are its own */
	.globl upcall_entry
	.type upcall_entry, @function
	.balign 16
upcall_entry:
	movq	%rsp, saved_rsp(%rip)
	movq	%rax, saved_rcx(%rip)
	movq	cur_kstack_top(%rip), %rsp
	pushq	$ASM_SEL_DATA3
	pushq	saved_rsp(%rip)
	pushfq
	pushq	$ASM_SEL_CODE3
	movq	upcall_page(%rip), %rax
	pushq	UPCALL_RIP(%rax)
	movq	saved_rcx(%rip), %rax
	pushq	$0
	pushq	$VECTOR_UPCALL
	pushq	$-1
	push_registers
	pushq	libos_flags(%rip)
	popfq
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	call	upcall_handle
	jmp	return_full

/* First run of a thread: its registers are at the top of its stack, and are above this return address. */
	.globl thread_first_return
	.type thread_first_return, @function
thread_first_return:
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	call	user_return_prepare
/* All registers from a struct regs at RSP: end of exceptions, of rt_sigreturn, of whatever changed them. */
return_full:
	pop_registers
	addq	$24, %rsp
	iretq

/* Leaves to the program with the registers at RDI. */
	.globl regs_enter
	.type regs_enter, @function
regs_enter:
	movq	%rdi, %rsp
	jmp	return_full

/* ---- exceptions: vector and error code pushed, RSP on the IST stack */
	.globl exception_stubs
	.balign 16
exception_stubs:
	.set	n, 0
	.rept	32
	.balign	16
	.if	((0x60227d00 >> n) & 1) == 0	/* the processor pushes no error code */
	pushq	$0
	.endif
	pushq	$n
	jmp	exception_common
	.set	n, n + 1
	.endr

	.balign 16
exception_common:
	/* the words are error, vector from the top; struct regs has vector below error */
	pushq	$-1
	push_registers
	cld
	movl	$ASM_SEL_DATA3, %eax	/* QEMU loads a null SS with an IST stack even at the same CPL */
	movl	%eax, %ss
	movq	%rsp, %rsi
	movq	cur_kstack_top(%rip), %rdi
	cmpq	$0, REGS_RIP(%rsp)
	jns	3f
	/* the libOS itself: go on below its frame, if that is on its stack */
	movq	REGS_RSP(%rsp), %rax
	andq	$-16, %rax
	movq	%rdi, %rdx
	subq	%rax, %rdx
	cmpq	cur_kstack_room(%rip), %rdx
	ja	exception_stack_bad
	movq	%rax, %rdi
3:	subq	$REGS_BYTES, %rdi
	movq	%rdi, %rdx
	movl	$(REGS_BYTES / 8), %ecx
	rep movsq
	movq	%rdx, %rsp
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	cmpq	$0, REGS_RIP(%rsp)
	cmovsq	(4 * 8 + 8)(%rsp), %rbp
	call	exception_entry
	jmp	return_full

exception_stack_bad:
	/* a program that single-steps comes to patched_entry, which has no stack yet */
	cmpq	$patched_entry, REGS_RIP(%rsp)
	jne	4f
	cmpq	$1, REGS_VECTOR(%rsp)
	jne	4f
	movq	$patched_entry_stepped, REGS_RIP(%rsp)
	andl	$~RFLAGS_TF, REGS_RFLAGS(%rsp)
	jmp	return_full
4:	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	exception_fatal
	ud2

/* ---- switch: RDI = where to park RSP, RSI = RSP of the next thread */
	.globl context_switch
	.type context_switch, @function
context_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* ---- CPL 0: reached by `int $4`. RCX chooses, see cpu.h; it changes RAX only. The fewest instructions come first. */
	.globl ring0_helper
	.type ring0_helper, @function
	.balign 16
ring0_helper:
	jrcxz	1f
	cmpl	$2, %ecx
	jb	2f
	je	3f
	cmpl	$4, %ecx
	jb	4f
	movl	%edi, %ecx	/* 4: MSR EDI = EDX:EAX */
	wrmsr
	iretq
1:	movq	%cr2, %rax
	iretq
2:	invlpg	(%rdi)		/* 1 */
	iretq
3:	movq	%cr3, %rax	/* 2 */
	movq	%rax, %cr3
	iretq
4:	sti			/* 3: sleep until an interrupt; only on standard machines */
	hlt
	cli
	iretq

/* Interrupts of standard machines: acknowledge at the LAPIC (at its place in the device window). In the libOS they only end HLT;
 * the program is sent to upcall_entry, as uvmm does it. */
	.globl ring0_irq
	.type ring0_irq, @function
	.balign 16
ring0_irq:
	movl	$0, 0xfffffffffee000b0
	cmpq	$0, (%rsp)
	js	1f
	pushq	%rax
	movq	8(%rsp), %rax
	movq	%rax, standard_upcall + UPCALL_RIP(%rip)
	movq	$upcall_entry, 8(%rsp)
	andl	$~RFLAGS_IF, 24(%rsp)
	popq	%rax
1:	iretq

/* NMI on standard machines means "please terminate": note it, and make sure by an interrupt to ourselves (vector 0x40) that a
 * HLT which comes next ends at once. */
	.globl ring0_nmi
	.type ring0_nmi, @function
	.balign 16
ring0_nmi:
	lock orl $1, standard_events(%rip)
	movl	$0x00044040, 0xfffffffffee00300
	iretq

	.bss
	.balign 16
saved_rcx:	.quad 0
saved_r11:	.quad 0
saved_rsp:	.quad 0

	.section .bss.page, "aw", @nobits
	.balign 4096
boot_stack:
	.skip	16384
	.globl boot_stack_top
boot_stack_top:

	.data
	.balign 16
	.globl libos_flags
libos_flags:		.quad RFLAGS_ONE	/* of the libOS itself */
	.globl cur_kstack_top
cur_kstack_top:		.quad boot_stack_top
	.globl cur_kstack_room
cur_kstack_room:	.quad 16384 - 512

/* ---- what libos.elf says about itself (abi/boot.h) */
	.section .note.uigniter, "a", @note
	.balign 4
	.long	2f - 1f, 4f - 3f, 1
1:	.asciz	"Uigniter"
2:	.balign 4
3:	.long	1, 1		/* UIG_ABI_VERSION, UIG_LIBOS_ASKS_RAM */
	.quad	uvmm_entry, boot_stack_top, lstar
4:
	.section .note.GNU-stack, "", @progbits
