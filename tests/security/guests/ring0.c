/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Privilege level 0, which a guest may always take: a gate of the IDT with the CPL-0 code segment. What follows is what only
 * the processor stops.
 */
#include "hostile.h"

#include <string.h>

#define VECTOR_UD  6u
#define CODE_GPA   (UIG_GPA_RINGS_END + 0x1000) /* nobody's: between rings and libOS */
#define CODE_BYTES 256u

/* Goes on at CPL 0 with these instructions; the stack is the one of the TSS. */
static int at_cpl0(const void *code, size_t bytes)
{
	uint64_t at = UIG_VA_KERNEL + CODE_GPA,
		 *gate = (uint64_t *)ram(UIG_GPA_IDT) + 2 * VECTOR_UD;

	memcpy((void *)at, code, bytes < CODE_BYTES ? bytes : CODE_BYTES);
	gate[0] = (at & 0xffff) | (uint64_t)UIG_SEL_CODE0 << 16 | 0xeeull << 40 |
		(at >> 16 & 0xffff) << 48;
	gate[1] = at >> 32;
	__asm__ volatile("ud2");
	return 0;
}

/* Instructions as text, between two labels; they run elsewhere, so they may only jump among themselves. */
#define AT_CPL0(name, text)                                                                        \
	extern const uint8_t name##_code[], name##_end[];                                          \
	__asm__(".pushsection .rodata\n" #name "_code:\n" text "\n" #name "_end:\n.popsection\n"); \
	static int name(void)                                                                      \
	{                                                                                          \
		return at_cpl0(name##_code, (size_t)(name##_end - name##_code));                   \
	}

AT_CPL0(halt, "1: cli; hlt; jmp 1b")
AT_CPL0(halt_sti, "1: sti; hlt; jmp 1b")
AT_CPL0(ports, "mov $0x64, %edx; 1: mov %edx, %eax; outb %al, %dx; inl %dx, %eax; inc %edx; jmp 1b")
AT_CPL0(ports_string,
	"mov %rsp, %rsi; 1: mov $0x60, %edx; mov $64, %ecx; rep outsb; sub $64, %rsi; jmp 1b")
AT_CPL0(no_paging, "mov %cr0, %rax; and $0x7fffffff, %eax; mov %rax, %cr0; 1: jmp 1b")
AT_CPL0(no_protection, "mov %cr0, %rax; and $0x7ffffffe, %eax; mov %rax, %cr0; 1: jmp 1b")
AT_CPL0(wild_cr3, "mov $0x7ffffffff000, %rax; mov %rax, %cr3; 1: jmp 1b")
AT_CPL0(no_idt, "push $0; push $0; lidt (%rsp); ud2")
AT_CPL0(hypercalls, "xor %eax, %eax; 1: mov $3, %ebx; vmmcall; inc %eax; cmp $64, %eax; jb 1b; ud2")
AT_CPL0(wild_msrs,
	"xor %ecx, %ecx; 1: mov $0xffffffff, %eax; mov %eax, %edx; wrmsr; inc %ecx; jmp 1b")
AT_CPL0(triple, "push $0; push $0; lidt (%rsp); xor %esp, %esp; int3")

const struct attack ring0_attacks[] = {
	{"ring0-halt", halt},
	{"ring0-halt-sti", halt_sti},
	{"ring0-ports", ports},
	{"ring0-ports-string", ports_string},
	{"ring0-no-paging", no_paging},
	{"ring0-no-protection", no_protection},
	{"ring0-wild-cr3", wild_cr3},
	{"ring0-no-idt", no_idt},
	{"ring0-hypercalls", hypercalls},
	{"ring0-wild-msrs", wild_msrs},
	{"ring0-triple", triple},
	{0},
};
