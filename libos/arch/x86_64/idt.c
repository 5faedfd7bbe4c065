/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gates of exceptions have the CPL-3 code segment, so that handlers stay where the program is; what they push goes to an
 * IST stack (1; double fault 3). Vector 4 is the door to the CPL-0 helpers: INTO does not exist in long mode.
 */
#include "libos/arch/x86_64/idt.h"

#include "abi/layout.h"
#include "libos/arch/x86_64/asm.h"

_Static_assert(ASM_VA_KERNEL == UIG_VA_KERNEL && ASM_SEL_CODE0 == UIG_SEL_CODE0 &&
		ASM_SEL_DATA0 == UIG_SEL_DATA0 && ASM_STAR_USER == UIG_STAR_USER &&
		ASM_SEL_DATA3 == UIG_SEL_DATA3 && ASM_SEL_CODE3 == UIG_SEL_CODE3 &&
		ASM_SEL_TSS == UIG_SEL_TSS,
	"asm.h has to follow abi/layout.h");

#define EXCEPTIONS     32u
#define STUB_BYTES     16u
#define VECTOR_NMI     2u
#define VECTOR_BP      3u
#define VECTOR_HELPER  4u
#define VECTOR_DF      8u
#define GATE_INTERRUPT 0x8eu
#define GATE_DPL3      0x60u
#define TSS_IST        36u
#define IST_BYTES      1024u

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};
ABI_ASSERT_SIZE(struct gate, 16);

extern const char exception_stubs[], ring0_helper[], ring0_irq[], ring0_nmi[];
static uint8_t ist_stack[2][IST_BYTES] __attribute__((aligned(16)));

static void set_gate(struct gate *g, const char *to, uint16_t selector, uint8_t ist, uint8_t type)
{
	uint64_t at = (uint64_t)to;

	*g = (struct gate){
		.offset_low = (uint16_t)at,
		.selector = selector,
		.ist = ist,
		.type = type,
		.offset_mid = (uint16_t)(at >> 16),
		.offset_high = (uint32_t)(at >> 32),
	};
}

static void set_ist(uint8_t *tss, unsigned n, uint64_t top)
{
	*(uint32_t *)(tss + TSS_IST + (n - 1) * 8) = (uint32_t)top;
	*(uint32_t *)(tss + TSS_IST + (n - 1) * 8 + 4) = (uint32_t)(top >> 32);
}

void idt_init(void *idt, void *tss, uint64_t nmi_stack)
{
	struct gate *gates = idt;

	set_ist(tss, 1, (uint64_t)(ist_stack[0] + IST_BYTES));
	set_ist(tss, 3, (uint64_t)(ist_stack[1] + IST_BYTES));
	for (unsigned n = 0; n < EXCEPTIONS; n++) {
		uint8_t type = n == VECTOR_BP ? GATE_INTERRUPT | GATE_DPL3 : GATE_INTERRUPT;

		set_gate(&gates[n], exception_stubs + n * STUB_BYTES, UIG_SEL_CODE3,
			n == VECTOR_DF ? 3 : 1, type);
	}
	set_gate(&gates[VECTOR_HELPER], ring0_helper, UIG_SEL_CODE0, 0, GATE_INTERRUPT | GATE_DPL3);
	if (!nmi_stack)
		return;
	set_ist(tss, 2, nmi_stack);
	set_gate(&gates[VECTOR_NMI], ring0_nmi, UIG_SEL_CODE0, 2, GATE_INTERRUPT);
	for (unsigned n = EXCEPTIONS; n < 256; n++)
		set_gate(&gates[n], ring0_irq, UIG_SEL_CODE0, 0, GATE_INTERRUPT);
}
