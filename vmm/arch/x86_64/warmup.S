/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a prepared vCPU runs before there is a request: it touches the pages of the libOS, so that the first instructions of an
 * instance do not pay for each of them, and leaves the guest once. Copied into guest memory; position-independent.
 *
 * %rdi: list of { first address, end address, write? }, ended by a first address of 0
 * %rsi: address of a device register, whose read ends the warm-up
 */
	.section .rodata
	.globl	warmup_code, warmup_code_end
warmup_code:
1:	movq	(%rdi), %rax
	testq	%rax, %rax
	jz	5f
	movq	8(%rdi), %rcx
2:	cmpq	%rcx, %rax
	jae	4f
	cmpq	$0, 16(%rdi)
	jz	3f
	orb	$0, (%rax)
3:	movb	(%rax), %dl
	addq	$4096, %rax
	jmp	2b
4:	addq	$24, %rdi
	jmp	1b
5:	movq	(%rsi), %rax
	ud2
warmup_code_end:
	.section .note.GNU-stack, "", @progbits
