/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which address an instruction would touch. Reading CR2 needs CPL 0, which costs 10 us where ring 0 is emulated, three times what the fault
 * itself does. So a fault is first tried at the address that its instruction names: a guess, because a wrong one does no harm (a page of the
 * program comes in early) and is found out (the page is there already, or may not be).
 */
#ifndef LIBOS_ARCH_OPERAND_H
#define LIBOS_ARCH_OPERAND_H

#include "abi/types.h"

#include <stdbool.h>

struct regs;

#define OPERAND_UNKNOWN UINT64_MAX

/* code: n bytes at r->rip. fs, gs: base addresses. The address, not cut to any size, or OPERAND_UNKNOWN. */
uint64_t operand_address(const struct regs *r, const uint8_t *code, unsigned n, bool write,
	uint64_t fs, uint64_t gs);

#endif
