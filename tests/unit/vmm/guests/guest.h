/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test guest: a few hundred lines at CPL 3 that take the monitor at its word. One program holds all tests; the first word
 * of the instance's arguments says which one runs. A test ends by EXIT with 0, or with the line of the check that failed.
 */
#ifndef TESTS_UNIT_VMM_GUESTS_GUEST_H
#define TESTS_UNIT_VMM_GUESTS_GUEST_H

#include "abi/boot.h"
#include "abi/identity.h"
#include "abi/layout.h"
#include "abi/platform.h"
#include "abi/virtio.h"

#include <stdbool.h>

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			guest_fail(__FILE__, __LINE__);                                            \
	} while (0)

extern uint64_t entry_regs[14], entry_rsp, entry_rdi, syscalls_seen, syscall_cs;
extern const struct uig_bootinfo *bootinfo;
extern char guest_stack_top[];
extern uint64_t upcalls_seen;
void guest_spin(uint64_t upcalls);
void guest_upcall(void);

_Noreturn void guest_main(const struct uig_bootinfo *info);
_Noreturn void guest_fail(const char *file, int line);
_Noreturn void guest_exit(enum uig_exit_kind kind, uint32_t code);
void guest_debug(const char *text);
struct uig_identity *guest_identity(void);
/* True when the argument line has this word behind its first. */
bool guest_has_word(const char *word);

static inline void *guest_ptr(gpa_t gpa)
{
	return (void *)(UIG_VA_DIRECT + gpa);
}

static inline volatile void *guest_io(gpa_t gpa)
{
	return (volatile void *)(UIG_VA_MMIO + (gpa - UIG_GPA_MMIO));
}

static inline void platform_write(unsigned reg, uint64_t value)
{
	*(volatile uint64_t *)guest_io(UIG_GPA_PLATFORM + reg) = value;
}

static inline uint64_t guest_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* A queue driven by hand. ring.c */
struct ring {
	uint16_t size, head, seen; /* entries, next avail index, used entries taken */
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	volatile struct virtq_used *used;
};
const struct uig_device *guest_device(uint32_t type);
struct ring ring_prepared(const struct uig_device *dev, unsigned queue);
void ring_desc(struct ring *r, uint16_t i, gpa_t addr, uint32_t len, uint16_t flags, uint16_t next);
void ring_offer(struct ring *r, uint16_t head); /* makes the chain available */
void ring_ask(struct ring *r);                  /* used_event: tell me of the next one */
void ring_mute(struct ring *r);
bool ring_take(struct ring *r, struct virtq_used_elem *e);
void device_kick(const struct uig_device *dev, uint32_t queue);
uint32_t device_read(const struct uig_device *dev, unsigned reg);
void device_write(const struct uig_device *dev, unsigned reg, uint32_t value);
gpa_t guest_gpa(const void *p); /* of something in this program */

/* tests */
void test_entry(void);
void test_wait(void);
void test_idle(void);
void test_term(void);
void test_console(void);
void test_flood(void);
void test_upcall(void);
void test_held(void);
void test_milestones(void);
void test_mmio(void);
void test_negotiate(void);
void test_wild(void);
void test_netecho(void);
void test_block(void);
void test_block_reset(void);
void test_rng(void);

#endif
