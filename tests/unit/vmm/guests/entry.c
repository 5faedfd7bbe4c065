/* SPDX-License-Identifier: Apache-2.0 */
/* The state at entry is what abi/boot.h and abi/layout.h say. */
#include "guest.h"

#define PTE_USER_ACCESSED 0x25ull /* present, user, accessed */
#define PTE_DIRTY         0x40ull
#define PTE_LARGE         0x80ull
#define PTE_NX            (1ull << 63)
#define PTE_ADDR          0xffffffffff000ull
#define WALL_2020_NS      1577836800000000000ull

static uint16_t selector_cs(void)
{
	uint16_t cs;

	__asm__("movw %%cs, %0" : "=r"(cs));
	return cs;
}

static uint16_t selector_ss(void)
{
	uint16_t ss;

	__asm__("movw %%ss, %0" : "=r"(ss));
	return ss;
}

static void check_registers(void)
{
	for (unsigned i = 0; i < 14; i++)
		CHECK(entry_regs[i] == 0);
	CHECK(entry_rdi == UIG_VA_DIRECT + UIG_GPA_BOOTINFO);
	CHECK(entry_rsp == (uint64_t)guest_stack_top);
	CHECK(selector_cs() == UIG_SEL_CODE3);
	CHECK(selector_ss() == UIG_SEL_DATA3);
}

static void check_fpu(void)
{
	uint32_t mxcsr, low, high;
	uint16_t fcw;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(fcw));
	CHECK(mxcsr == 0x1f80);
	CHECK(fcw == 0x37f);
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	CHECK((low & 3) == 3);
	__asm__ volatile("wrfsbase %0" : : "r"(UIG_VA_DIRECT));
}

static void check_syscall(void)
{
	uint64_t flags;

	__asm__ volatile("syscall" : : : "rcx", "r11", "memory");
	CHECK(syscalls_seen == 1);
	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	CHECK(selector_cs() == UIG_SEL_CODE3 && selector_ss() == UIG_SEL_DATA3);
	CHECK((syscall_cs & 3) == 3 || (syscall_cs & 0xffff) == UIG_SEL_CODE0);
}

static unsigned index_of(uint64_t va, unsigned shift)
{
	return (unsigned)(va >> shift) & 511;
}

/* The 2 MiB entry that maps va; checks the way there. */
static uint64_t walk(uint64_t va)
{
	const uint64_t *pml4 = guest_ptr(bootinfo->cr3);
	uint64_t e = pml4[index_of(va, 39)];

	CHECK((e & PTE_USER_ACCESSED) == PTE_USER_ACCESSED);
	e = ((const uint64_t *)guest_ptr(e & PTE_ADDR))[index_of(va, 30)];
	CHECK((e & PTE_USER_ACCESSED) == PTE_USER_ACCESSED);
	e = ((const uint64_t *)guest_ptr(e & PTE_ADDR))[index_of(va, 21)];
	CHECK((e & PTE_USER_ACCESSED) == PTE_USER_ACCESSED && (e & PTE_LARGE) && (e & PTE_DIRTY));
	return e;
}

static void check_tables(void)
{
	const uint64_t *pml4 = guest_ptr(bootinfo->cr3);
	uint64_t last = bootinfo->region[0].bytes - 1;

	CHECK(pml4[256] == 0);
	CHECK((walk((uint64_t)guest_stack_top) & PTE_ADDR) == UIG_GPA_LIBOS);
	CHECK(!(walk((uint64_t)guest_stack_top) & PTE_NX));
	CHECK((walk(UIG_VA_DIRECT + last) & PTE_ADDR) == (last & ~0x1fffffull));
	CHECK(walk(UIG_VA_DIRECT) & PTE_NX);
	CHECK((walk(UIG_VA_MMIO + (UIG_GPA_PLATFORM - UIG_GPA_MMIO)) & PTE_ADDR) ==
		UIG_GPA_PLATFORM);
}

static void check_bootinfo(void)
{
	CHECK(bootinfo->magic == UIG_BOOT_MAGIC && bootinfo->abi_version == UIG_ABI_VERSION);
	CHECK(bootinfo->bytes == sizeof(*bootinfo));
	CHECK(bootinfo->nregions == 1 && bootinfo->region[0].base == 0);
	CHECK(bootinfo->free_start % 4096 == 0 && bootinfo->free_start > UIG_GPA_LIBOS);
	CHECK(bootinfo->free_start >= guest_gpa(guest_stack_top));
	CHECK(bootinfo->tsc_khz > 1000);
	CHECK(bootinfo->ndevices >= 1);
	CHECK(*(volatile uint64_t *)guest_io(UIG_GPA_PLATFORM + UIG_REG_MAGIC) ==
		UIG_PLATFORM_MAGIC);
}

static void check_identity(void)
{
	const struct uig_identity *id = guest_identity();
	unsigned zeros = 0;

	CHECK(id->magic == UIG_IDENTITY_MAGIC && id->generation == 1 && id->events == 0);
	CHECK(id->args[id->args_bytes] == '\0' && id->args_bytes >= 5);
	for (unsigned i = 0; i < UIG_IDENTITY_ENTROPY; i++)
		zeros += id->entropy[i] == 0;
	CHECK(zeros < 16);
	CHECK(id->wall_ns > WALL_2020_NS);
	CHECK(guest_tsc() >= id->wall_tsc);
	CHECK(guest_tsc() - id->wall_tsc < bootinfo->tsc_khz * 1000 * 3600); /* the same clock */
}

/* The image of this test is a file of a page and a half that begins and ends with known bytes. */
static void check_image(void)
{
	const uint8_t *image = guest_ptr(bootinfo->image);

	if (!guest_has_word("image")) {
		CHECK(bootinfo->image == 0 && bootinfo->image_bytes == 0);
		return;
	}
	CHECK(bootinfo->image == UIG_GPA_IMAGE);
	CHECK(image[0] == 'B' && image[bootinfo->image_bytes - 1] == 'E');
	CHECK(image[bootinfo->image_bytes] == 0);
}

void test_entry(void)
{
	check_registers();
	check_bootinfo();
	check_identity();
	check_tables();
	check_fpu();
	check_syscall();
	check_image();
}
