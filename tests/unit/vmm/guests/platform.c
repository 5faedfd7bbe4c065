/* SPDX-License-Identifier: Apache-2.0 */
/* The platform page: waits, events, milestones, and addresses that nobody owns. */
#include "guest.h"

#define UNKNOWN_ADDRESS (UIG_GPA_PLATFORM + 0x100000)

void test_wait(void)
{
	uint64_t ms = bootinfo->tsc_khz;

	platform_write(UIG_REG_WAIT, 0);
	platform_write(UIG_REG_WAIT, guest_tsc() - 1);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t deadline = guest_tsc() + ms / 7 * (i + 1);

		platform_write(UIG_REG_WAIT, deadline);
		CHECK(guest_tsc() >= deadline);
	}
}

/* One sleep, however long: the report counts it. */
void test_idle(void)
{
	uint64_t deadline = guest_tsc() + bootinfo->tsc_khz * 1000;

	platform_write(UIG_REG_WAIT, deadline);
	CHECK(guest_tsc() >= deadline);
}

void test_term(void)
{
	struct uig_identity *id = guest_identity();

	platform_write(UIG_REG_MILESTONE, UIG_MS_LISTEN);
	platform_write(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	CHECK(__atomic_load_n(&id->events, __ATOMIC_SEQ_CST) == UIG_EVENT_TERM);
	__atomic_and_fetch(&id->events, ~UIG_EVENT_TERM, __ATOMIC_SEQ_CST);
	guest_exit(UIG_EXIT_CODE, 7);
}

void test_milestones(void)
{
	platform_write(UIG_REG_MILESTONE, UIG_MS_LIBOS);
	struct uig_identity *id = guest_identity();

	id->step_tsc[UIG_STEP_ENTERED] = __builtin_ia32_rdtsc();
	id->step_tsc[UIG_STEP_MEMORY] =
		1; /* before the request, and behind now: not to be believed */
	id->step_tsc[UIG_STEP_IMAGE] = ~0ull;
	platform_write(UIG_REG_MILESTONE, UIG_MS_PROGRAM);
	platform_write(UIG_REG_MILESTONE, UIG_MILESTONE(UIG_MS_LISTEN, 8080));
	platform_write(
		UIG_REG_MILESTONE, UIG_MILESTONE(UIG_MS_LISTEN, 81)); /* only the first counts */
	platform_write(UIG_REG_MILESTONE, 77);                        /* unknown: ignored */
}

void test_mmio(void)
{
	volatile uint32_t *nowhere = guest_io(UNKNOWN_ADDRESS);
	volatile uint8_t *wait_byte = guest_io(UIG_GPA_PLATFORM + UIG_REG_WAIT);
	volatile uint64_t *hole = guest_ptr(UIG_GPA_IMAGE);

	CHECK(*nowhere == 0);
	*nowhere = 5;
	CHECK(*nowhere == 0);
	*wait_byte = 0xff; /* not 64 bits wide: no wait */
	CHECK(*(volatile uint64_t *)guest_io(UIG_GPA_PLATFORM + UIG_REG_EXIT) == 0);
	if (guest_has_word("hole"))
		CHECK(*hole ==
			0); /* the window without an image: the VM ends, the monitor says why */
}

/* Maps the program's 2 MiB below UIG_USER_TOP too, at its physical address, and gives a function's address there. */
static uint64_t low_address(const void *function)
{
	static uint64_t pdpt[512] __attribute__((aligned(4096))),
		pd[512] __attribute__((aligned(4096)));
	uint64_t *pml4 = guest_ptr(bootinfo->cr3);

	pd[1] = UIG_GPA_LIBOS | 0xe7; /* present, writable, user, accessed, dirty, large */
	pdpt[0] = guest_gpa(pd) | 0x27;
	pml4[0] = guest_gpa(pdpt) | 0x27;
	return guest_gpa(function);
}

void test_upcall(void)
{
	void (*spin)(uint64_t) = (void (*)(uint64_t))low_address((const void *)guest_spin);
	struct uig_identity *id = guest_identity();
	volatile struct uig_upcall *up = &id->upcall;

	CHECK(up->entry == 0);
	up->tsc = UIG_WAIT_FOREVER;
	up->entry = (uint64_t)guest_upcall;
	platform_write(UIG_REG_MILESTONE, UIG_MS_LISTEN);
	if (guest_has_word("term")) {
		spin(1);
		CHECK(id->events == UIG_EVENT_TERM);
		guest_exit(UIG_EXIT_CODE, 7);
	}
	for (unsigned i = 0; i < 20; i++) {
		uint64_t due = guest_tsc() + bootinfo->tsc_khz;

		up->tsc = due;
		spin(i + 1);
		CHECK(guest_tsc() >= due && upcalls_seen == i + 1);
		CHECK(up->tsc == UIG_WAIT_FOREVER);
		CHECK(up->rip >= (uint64_t)spin && up->rip < (uint64_t)spin + 16);
		if (i % 3 ==
			0) /* the timer stops in a wait, is taken away by all but the first, and starts again */
			platform_write(UIG_REG_WAIT, guest_tsc() + bootinfo->tsc_khz * 100);
	}
}

/* Offers one thing after the other, each when the device has taken the one before, and kicks nobody, until an upcall comes; how many were taken.
 * Called at an address below UIG_USER_TOP. */
static __attribute__((noinline)) unsigned taken_unkicked(
	struct ring *r, const char *text, uint32_t bytes)
{
	const volatile uint64_t *seen = &upcalls_seen;
	volatile struct uig_upcall *up = &guest_identity()->upcall;
	uint64_t before = *seen;
	unsigned taken = 0;

	up->tsc = guest_tsc(); /* due at once */
	for (;;) {
		ring_desc(r, 0, guest_gpa(text), bytes, 0, 0);
		ring_mute(r);
		ring_offer(r, 0);
		up->left = guest_tsc();
		while (r->used->idx != r->head && *seen == before)
			;
		up->left = 0;
		if (*seen != before)
			return taken;
		taken++;
	}
}

/* A program that computes while something is held back (`left`): the monitor hands it over before its next look at everything, which is when the
 * upcall comes that has been due all the time. So several are taken for each upcall; without that, one or two. */
void test_held(void)
{
	static const char text[] = "held\n";
	unsigned (*round)(struct ring *, const char *, uint32_t) = (unsigned (*)(
		struct ring *, const char *, uint32_t))low_address((const void *)taken_unkicked);
	struct ring r = ring_prepared(guest_device(UIG_DEV_CONSOLE), 1);
	volatile struct uig_upcall *up = &guest_identity()->upcall;
	unsigned taken;

	up->entry = (uint64_t)guest_upcall;
	up->tsc = UIG_WAIT_FOREVER;
	platform_write(UIG_REG_MILESTONE, UIG_MS_LISTEN);
	do {
		taken = round(&r, text, sizeof(text) - 1);
		while (r.used->idx != r.head)
			platform_write(UIG_REG_WAIT, 0);
	} while (taken < 3);
}
