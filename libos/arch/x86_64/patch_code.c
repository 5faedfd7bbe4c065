/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows an executed `syscall` is surely an instruction; what stands in front of it need not be what it looks like. That the five
 * bytes b8 NR 00 00 00 are a mov is concluded so: the trap's RAX is NR, NR is below 512, and no other reading ends here without a fault:
 * as an instruction of their own the last two bytes (00 00, add %al,(%rax)) would have touched address NR; as the end of a longer instruction b8
 * is an opcode behind REX, a ModRM (it would touch 2 * NR, unless it only computes or has a segment), a SIB, or the end of a displacement
 * in front of an immediate operand. Those are refused.
 */
#include "libos/arch/x86_64/patch_code.h"

#include "libos/klib/string.h"

#define PAGE          4096u
#define SYSCALL_BYTES 2u
#define MOV_BYTES     5u
#define CMP_BYTES     6u
#define NR_LIMIT      512u
#define NO_INSN       0x06u

/* Offsets in the stub of PATCH_CMP. */
#define CMP_TAIL 20u
#define CMP_JUMP (CMP_TAIL + CMP_BYTES)

unsigned patch_site_bytes(enum patch_kind kind)
{
	return kind == PATCH_MOV ? MOV_BYTES + SYSCALL_BYTES : SYSCALL_BYTES + CMP_BYTES;
}

/* An opcode that takes a ModRM byte and a 32-bit immediate operand: imul, and, mov, test. */
static bool takes_imm32(uint8_t opcode)
{
	return opcode == 0x69 || opcode == 0x81 || opcode == 0xc7 || opcode == 0xf7;
}

/* p is at the byte b8; back: how many bytes of the page are in front of it. */
static bool is_mov(const uint8_t *p, unsigned back)
{
	uint8_t one;

	if (back < 7)
		return false;
	one = p[-1];
	if ((one & 0xf0) == 0x40 || (one & 0xc7) == 0x84) /* REX; ModRM with SIB and disp32 */
		return false;
	if (one == 0x8d || one == 0x1f || one == 0x18 || one == 0x0d) /* lea, nop, prefetch */
		return false;
	if (p[-2] == 0x64 || p[-2] == 0x65) /* a segment: address 2 * NR may be there */
		return false;
	for (unsigned i = 2; i < 8 && i <= back; i++) {
		if (takes_imm32(p[-(int)i]))
			return false;
	}
	return true;
}

enum patch_kind patch_recognize(
	struct patch_site *site, const uint8_t page[4096], uint64_t at, uint64_t rax)
{
	unsigned off = at % PAGE;
	const uint8_t *p = page + off;
	uint32_t nr;

	site->kind = PATCH_NONE;
	if (off > PAGE - SYSCALL_BYTES || p[0] != 0x0f || p[1] != 0x05)
		return PATCH_NONE;
	if (off <= PAGE - SYSCALL_BYTES - CMP_BYTES && p[2] == 0x48 && p[3] == 0x3d) {
		site->kind = PATCH_CMP;
		site->start = at;
	} else if (off >= MOV_BYTES && p[-5] == 0xb8) {
		memcpy(&nr, p - 4, sizeof(nr));
		if (nr == rax && nr < NR_LIMIT && is_mov(p - MOV_BYTES, off - MOV_BYTES)) {
			site->kind = PATCH_MOV;
			site->start = at - MOV_BYTES;
		}
	}
	if (site->kind != PATCH_NONE)
		memcpy(site->old, page + site->start % PAGE, patch_site_bytes(site->kind));
	return site->kind;
}

bool patch_reaches(const struct patch_site *site, uint64_t stub)
{
	int64_t far = (int64_t)(stub - site->start);

	return far > -0x7ffff000ll && far < 0x7ffff000ll;
}

/* A 32-bit displacement in the last four bytes of an instruction, the first byte of which will lie at `from`. */
static uint8_t *relative(uint8_t *code, uint64_t from, unsigned opcode_bytes, uint64_t to)
{
	int32_t rel = (int32_t)(to - (from + opcode_bytes + 4));

	memcpy(code + opcode_bytes, &rel, sizeof(rel));
	return code + opcode_bytes + 4;
}

void patch_encode_site(uint8_t *code, const struct patch_site *site, uint64_t stub)
{
	if (site->kind == PATCH_MOV) {
		code[0] = 0xe9;
		code = relative(code, site->start, 1, stub);
		code[0] = code[1] = NO_INSN;
	} else {
		code[0] = 0xeb;
		code[1] = 1;
		code[2] = NO_INSN;
		code[3] = 0xe9;
		relative(code + 3, site->start + 3, 1, stub);
	}
}

void patch_encode_stub(uint8_t *code, const struct patch_site *site, uint64_t stub, uint64_t entry)
{
	static const uint8_t lea_rcx[] = {0x48, 0x8d, 0x0d}, lea_r11[] = {0x4c, 0x8d, 0x1d},
			     mov_r11[] = {0x49, 0x89, 0xcb}, jmp_at[] = {0xff, 0x25};
	uint8_t *p = code;
	bool mov = site->kind == PATCH_MOV;

	if (mov) {
		memcpy(p, site->old, MOV_BYTES);
		p += MOV_BYTES;
	}
	memcpy(p, lea_rcx, sizeof(lea_rcx));
	p = relative(p, stub + (uint64_t)(p - code), 3,
		mov ? site->start + MOV_BYTES + SYSCALL_BYTES : site->start + SYSCALL_BYTES);
	if (mov) {
		memcpy(p, mov_r11, sizeof(mov_r11));
		p += sizeof(mov_r11);
	} else {
		memcpy(p, lea_r11, sizeof(lea_r11));
		p = relative(p, stub + (uint64_t)(p - code), 3, stub + CMP_TAIL);
	}
	memcpy(p, jmp_at, sizeof(jmp_at));
	p = relative(p, stub + (uint64_t)(p - code), 2, entry);
	if (mov)
		return;
	memcpy(p, site->old + SYSCALL_BYTES, CMP_BYTES);
	p += CMP_BYTES;
	p[0] = 0xe9;
	relative(p, stub + CMP_JUMP, 1, site->start + SYSCALL_BYTES + CMP_BYTES);
}

uint64_t patch_true_address(const struct patch_site *site, unsigned offset)
{
	if (site->kind == PATCH_MOV || offset < CMP_TAIL)
		return site->start; /* from the beginning: nothing has happened yet */
	return site->start + SYSCALL_BYTES + (offset >= CMP_JUMP ? CMP_BYTES : 0);
}

uint64_t patch_continue(const struct patch_site *site, uint64_t stub)
{
	return site->kind == PATCH_MOV ? site->start + MOV_BYTES + SYSCALL_BYTES : stub + CMP_TAIL;
}
