/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prefixes, opcode, ModRM, SIB, displacement (Intel SDM volume 2, chapter 2 and appendix A: facts). No immediate operands: they only move a RIP-relative
 * address by their size. What is not understood is OPERAND_UNKNOWN.
 */
#include "libos/arch/x86_64/operand.h"

#include "libos/arch/x86_64/regs.h"
#include "libos/klib/string.h"

#define REX_W 8u
#define REX_R 4u
#define REX_X 2u
#define REX_B 1u

struct insn {
	const uint8_t *p, *end, *start;
	unsigned rex;
	unsigned map;   /* 1: one-byte opcodes, 2: 0f, 3: 0f 38, 4: 0f 3a */
	unsigned scale; /* of an 8-bit displacement */
	uint64_t segment;
	uint8_t opcode;
};

static uint64_t reg(const struct regs *r, unsigned n)
{
	const uint64_t all[16] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};

	return all[n & 15];
}

static bool next(struct insn *i, uint8_t *byte)
{
	if (i->p == i->end)
		return false;
	*byte = *i->p++;
	return true;
}

/* False: 32-bit addresses, or the code ends. */
static bool legacy_prefixes(struct insn *i, uint64_t fs, uint64_t gs)
{
	uint8_t b;

	while (next(i, &b)) {
		if (b == 0x64)
			i->segment = fs;
		else if (b == 0x65)
			i->segment = gs;
		else if (b == 0x67)
			return false;
		else if (b != 0x66 && b != 0xf2 && b != 0xf3 && b != 0xf0 && b != 0x2e &&
			b != 0x36 && b != 0x3e && b != 0x26) {
			i->p--;
			return true;
		}
	}
	return false;
}

/* VEX and EVEX hold the REX bits inverted, and the opcode map. */
static bool vector_prefix(struct insn *i, uint8_t first)
{
	uint8_t b, length = 0;

	if (!next(i, &b))
		return false;
	i->rex = ~b >> 5 & (first == 0xc5 ? REX_R : REX_R | REX_X | REX_B);
	i->map = first == 0xc5 ? 2 : 1 + (b & 7u);
	if (first != 0xc5 && !next(i, &b))
		return false;
	if (first == 0x62) {
		if (!next(i, &length))
			return false;
		i->scale = 16u << (length >> 5 & 3);
	}
	return next(i, &i->opcode) && i->map >= 2 && i->map <= 4;
}

static bool opcode(struct insn *i)
{
	uint8_t b;

	i->map = 1;
	i->scale = 1;
	if (!next(i, &b))
		return false;
	if (b == 0xc4 || b == 0xc5 || b == 0x62)
		return vector_prefix(i, b);
	if ((b & 0xf0) == 0x40) {
		i->rex = b & 15u;
		if (!next(i, &b))
			return false;
	}
	if (b == 0x0f) {
		i->map = 2;
		if (!next(i, &b))
			return false;
		if (b == 0x38 || b == 0x3a) {
			i->map = b == 0x38 ? 3 : 4;
			if (!next(i, &b))
				return false;
		}
	}
	i->opcode = b;
	return true;
}

/* Instructions of the one-byte map whose memory is not in a ModRM: stack and strings. */
static uint64_t implied(const struct insn *i, const struct regs *r, bool write)
{
	uint8_t op = i->opcode;

	if ((op & 0xf8) == 0x50 || op == 0x68 || op == 0x6a || op == 0xe8)
		return r->rsp - 8;
	if ((op & 0xf8) == 0x58 || op == 0xc3 || op == 0xc2)
		return r->rsp;
	switch (op) {
	case 0xc9: /* leave */
		return r->rbp;
	case 0xa4: /* movs */
	case 0xa5:
		return write ? r->rdi : r->rsi;
	case 0xaa: /* stos, scas */
	case 0xab:
	case 0xae:
	case 0xaf:
		return r->rdi;
	case 0xac: /* lods */
	case 0xad:
		return r->rsi;
	default: /* outside numbers */
		return OPERAND_UNKNOWN;
	}
}

static bool has_modrm(const struct insn *i)
{
	uint8_t op = i->opcode;

	if (i->map > 2)
		return true;
	if (i->map == 2)
		return !(op == 0x05 || op == 0x0b || op == 0x77 || (op & 0xf0) == 0x80 ||
			(op & 0xf8) == 0x30 || (op & 0xf8) == 0xc8 || op == 0xa2);
	return (op < 0x40 && (op & 7) < 4) || op == 0x63 || op == 0x69 || op == 0x6b ||
		(op & 0xf0) == 0x80 || (op & 0xfe) == 0xc0 || (op & 0xfe) == 0xc6 ||
		(op & 0xfc) == 0xd0 || (op & 0xf8) == 0xd8 || (op & 0xfe) == 0xf6 ||
		(op & 0xfe) == 0xfe;
}

static bool displacement(struct insn *i, unsigned mod, bool wide, int64_t *value)
{
	int32_t disp32;
	uint8_t b;

	*value = 0;
	if (mod == 1) {
		if (!next(i, &b))
			return false;
		*value = (int64_t)(int8_t)b * i->scale;
	} else if (mod == 2 || wide) {
		if (i->end - i->p < 4)
			return false;
		memcpy(&disp32, i->p, sizeof(disp32));
		i->p += sizeof(disp32);
		*value = disp32;
	}
	return true;
}

static uint64_t modrm(struct insn *i, const struct regs *r, bool write)
{
	uint8_t b, sib = 0;
	unsigned mod, rm;
	uint64_t at = 0;
	int64_t disp;
	bool none;

	if (!next(i, &b) || b >= 0xc0)
		return OPERAND_UNKNOWN;
	/* call and push with a memory operand read that and write the stack */
	if (i->map == 1 && i->opcode == 0xff && write && ((b >> 3 & 7) == 2 || (b >> 3 & 7) == 6))
		return r->rsp - 8;
	mod = b >> 6;
	rm = b & 7;
	if (rm == 4) {
		if (!next(i, &sib))
			return OPERAND_UNKNOWN;
		rm = sib & 7;
		if ((sib >> 3 & 7) != 4 || i->rex & REX_X)
			at = reg(r, (sib >> 3 & 7u) | (i->rex & REX_X) << 2) << (sib >> 6);
	}
	none = mod == 0 && rm == 5; /* no base, but a displacement */
	if (!displacement(i, mod, none, &disp))
		return OPERAND_UNKNOWN;
	if (!none)
		at += reg(r, rm | (i->rex & REX_B) << 3);
	else if ((b & 7) == 5)
		at += r->rip + (uint64_t)(i->p - i->start);
	return at + (uint64_t)disp + i->segment;
}

uint64_t operand_address(
	const struct regs *r, const uint8_t *code, unsigned n, bool write, uint64_t fs, uint64_t gs)
{
	struct insn i = {.p = code, .end = code + (n < 15 ? n : 15), .start = code};

	if (!legacy_prefixes(&i, fs, gs) || !opcode(&i))
		return OPERAND_UNKNOWN;
	return has_modrm(&i) ? modrm(&i, r, write)
		: i.map == 1 ? implied(&i, r, write)
			     : OPERAND_UNKNOWN;
}
