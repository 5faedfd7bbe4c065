/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of the test guest: keeps the registers of the entry for the tests, then calls guest_main(bootinfo). */
	.section .note.uigniter, "a", @note
	.balign 4
	.long	9, 32, 1
	.asciz	"Uigniter"
	.balign 4
	.long	1, 0
	.quad	guest_entry
	.quad	guest_stack_top
	.quad	guest_lstar

	.text
	.globl	guest_entry
guest_entry:
	movq	%rax, entry_regs+0(%rip)
	movq	%rbx, entry_regs+8(%rip)
	movq	%rcx, entry_regs+16(%rip)
	movq	%rdx, entry_regs+24(%rip)
	movq	%rsi, entry_regs+32(%rip)
	movq	%rbp, entry_regs+40(%rip)
	movq	%r8, entry_regs+48(%rip)
	movq	%r9, entry_regs+56(%rip)
	movq	%r10, entry_regs+64(%rip)
	movq	%r11, entry_regs+72(%rip)
	movq	%r12, entry_regs+80(%rip)
	movq	%r13, entry_regs+88(%rip)
	movq	%r14, entry_regs+96(%rip)
	movq	%r15, entry_regs+104(%rip)
	movq	%rsp, entry_rsp(%rip)
	movq	%rdi, entry_rdi(%rip)
	call	guest_main
	ud2

/* Right at CPL 0 and at CPL 3: counts, notes its own CS, returns. */
guest_lstar:
	incq	syscalls_seen(%rip)
	movw	%cs, syscall_cs(%rip)
	testb	$3, syscall_cs(%rip)
	jz	1f
	jmp	*%rcx
1:	sysretq

/* Counts an upcall and goes on where the program was. %rip of the upcall page: 0xffff880000002000 + 104 + 16. */
	.globl	guest_upcall, guest_spin
guest_upcall:
	pushfq
	pushq	%rax
	incq	upcalls_seen(%rip)
	movabsq	0xffff880000002078, %rax
	movq	%rax, upcall_target(%rip)
	popq	%rax
	popfq
	jmp	*upcall_target(%rip)

/* Spins until that many upcalls were seen. Called at an address below UIG_USER_TOP. */
guest_spin:
	pause
	cmpq	%rdi, upcalls_seen(%rip)
	jb	guest_spin
	ret

	.bss
	.globl	upcalls_seen
	.balign	8
upcalls_seen:	.skip 8
upcall_target:	.skip 8
	.globl	entry_regs, entry_rsp, entry_rdi, syscalls_seen, syscall_cs, guest_stack_top
	.balign 16
entry_regs:	.skip 14 * 8
entry_rsp:	.skip 8
entry_rdi:	.skip 8
syscalls_seen:	.skip 8
syscall_cs:	.skip 8
	.balign 16
	.skip 16384
guest_stack_top:
	.section .note.GNU-stack, "", @progbits
