/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a system call instruction becomes a jump. Two kinds of places have the room, and in both every address at which an instruction could
 * begin keeps its meaning: it begins the jump, or a byte that is no instruction (0x06), whose trap patch.c turns into the old meaning.
 *
 *   PATCH_MOV  b8 NR NR NR NR 0f 05        mov $nr,%eax; syscall     ->  e9 rel32 06 06
 *   PATCH_CMP  0f 05 48 3d II II II II     syscall; cmp $imm,%rax    ->  eb 01 06 e9 rel32
 *
 * A stub is PATCH_STUB_BYTES long and touches RAX, RCX, R11 only, as the call itself would: no stack, no flags.
 *
 *   PATCH_MOV  mov $nr,%eax;  lea back,%rcx;  mov %rcx,%r11;  jmp *entry
 *   PATCH_CMP  lea back,%rcx;  lea 1f,%r11;  jmp *entry;  1: cmp $imm,%rax;  jmp behind
 *
 * Pure functions on bytes: no memory of the program is touched here.
 */
#ifndef LIBOS_ARCH_PATCH_CODE_H
#define LIBOS_ARCH_PATCH_CODE_H

#include "abi/types.h"

#include <stdbool.h>

enum patch_kind { PATCH_NONE, PATCH_MOV, PATCH_CMP };

#define PATCH_STUB_BYTES 32u
#define PATCH_SITE_MAX   8u

struct patch_site {
	enum patch_kind kind;
	uint64_t start;              /* the first byte that changes */
	uint8_t old[PATCH_SITE_MAX]; /* what was there */
};

/* What can be done with the instruction at `at`, which trapped with this RAX; page: the bytes of its page. Fills site unless PATCH_NONE. */
enum patch_kind patch_recognize(
	struct patch_site *site, const uint8_t page[4096], uint64_t at, uint64_t rax);
/* Bytes that change. */
unsigned patch_site_bytes(enum patch_kind kind);
/* False when a jump does not reach from one to the other. */
bool patch_reaches(const struct patch_site *site, uint64_t stub);

/* The site's new bytes (patch_site_bytes of them); the stub's, that will lie at `stub`; entry: address of the word that holds the entry's. */
void patch_encode_site(uint8_t *code, const struct patch_site *site, uint64_t stub);
void patch_encode_stub(uint8_t *code, const struct patch_site *site, uint64_t stub, uint64_t entry);

/* The address in the program's own code that stands for offset in the site's stub: execution can go on there. */
uint64_t patch_true_address(const struct patch_site *site, unsigned offset);
/* Where the address of the instruction behind the call continues: in the stub, when the site covers it. */
uint64_t patch_continue(const struct patch_site *site, uint64_t stub);

#endif
