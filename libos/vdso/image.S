/* SPDX-License-Identifier: Apache-2.0 */
/* The finished vDSO as a page of the libOS, mapped as it is into the program. */
	.section .rodata.page, "a"
	.balign 4096
	.globl vdso_image
vdso_image:
	.incbin "vdso.so"
	.balign 4096
	.section .note.GNU-stack, "", @progbits
