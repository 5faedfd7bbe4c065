/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvm_start_info (PVH boot protocol, Xen public/arch-x86/hvm/start_info.h: facts) to struct uig_bootinfo: RAM from the memory map, the first
 * module as EROFS image, devices from `virtio_mmio.device=SIZE@BASE:IRQ` words on the command line. All of it comes from the
 * monitor and is trusted to be there, but not to be sensible.
 */
#include "libos/arch/x86_64/standard.h"

#include "abi/boot.h"
#include "abi/layout.h"
#include "abi/pvh.h"
#include "abi/virtio.h"
#include "libos/arch/x86_64/cpu.h"
#include "libos/arch/x86_64/idt.h"
#include "libos/arch/x86_64/pt.h"
#include "libos/drv/platform.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/main.h"
#include "libos/mem/page.h"

#define GIB 0x40000000ull

extern char libos_end[], standard_idt[], standard_tss[], standard_nmi_stack_top[];
extern uint64_t standard_pml4[], standard_pdpt_direct[];
_Noreturn void standard_main(uint64_t start_info);

uint32_t standard_events;
char standard_cmdline[STANDARD_CMDLINE_BYTES];
static struct uig_bootinfo info = {
	.magic = UIG_BOOT_MAGIC,
	.abi_version = UIG_ABI_VERSION,
	.bytes = sizeof(struct uig_bootinfo),
};

static gpa_t gpa_of(const void *p)
{
	return (gpa_t)p - UIG_VA_KERNEL;
}

static void add_region(uint64_t base, uint64_t end)
{
	if (base < info.free_start)
		base = info.free_start;
	if (base >= end || info.nregions == UIG_MEM_REGIONS_MAX)
		return;
	info.region[info.nregions++] = (struct uig_mem_region){base, end - base};
}

/* RAM without the image, which lies somewhere in it. */
static void add_ram(uint64_t base, uint64_t end)
{
	uint64_t image_end = page_round_up(info.image + info.image_bytes);

	base = page_round_up(base);
	end = page_round_down(end);
	if (info.image && info.image < end && image_end > base) {
		add_region(base, info.image);
		add_region(image_end, end);
	} else {
		add_region(base, end);
	}
}

static int parse_number(const char **p, uint64_t *value)
{
	uint64_t v = 0;
	const char *s = *p;

	if (s[0] != '0' || s[1] != 'x')
		return parse_u64(p, value);
	for (s += 2;; s++) {
		unsigned d = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0')
			: *s >= 'a' && *s <= 'f'    ? (unsigned)(*s - 'a' + 10)
						    : 16;

		if (d == 16)
			break;
		v = v << 4 | d;
	}
	*p = s;
	*value = v;
	return 0;
}

static const char device_key[] = "virtio_mmio.device=";

/* SIZE@BASE:IRQ; SIZE may end in K. Without a device behind it the slot is left out. */
static void add_device(const char *p)
{
	struct uig_device *dev = &info.device[info.ndevices];
	uint64_t size, base, irq;
	uint32_t type;

	if (parse_number(&p, &size))
		return;
	if (*p == 'K' || *p == 'k')
		p++;
	if (*p++ != '@' || parse_number(&p, &base) || *p++ != ':' || parse_number(&p, &irq))
		return;
	if (info.ndevices == UIG_DEVICES_MAX || base < UIG_GPA_MMIO || base >= UIG_GPA_HIGH_RAM)
		return;
	if (mmio_read32(base + VIRTIO_MMIO_MAGIC) != VIRTIO_MMIO_MAGIC_VALUE ||
		mmio_read32(base + VIRTIO_MMIO_VERSION) != VIRTIO_MMIO_VERSION_2)
		return;
	type = mmio_read32(base + VIRTIO_MMIO_DEVICE_ID);
	if (!type)
		return;
	*dev = (struct uig_device){.type = type, .mmio = base, .irq = (uint32_t)irq};
	info.ndevices++;
}

static bool is_device_word(const char *p)
{
	return (p == standard_cmdline || p[-1] == ' ') &&
		!strncmp(p, device_key, sizeof(device_key) - 1);
}

/* QEMU appends its words to the line, and so to the program's arguments: they are taken and cut off. */
static void take_trailing_devices(void)
{
	char *end = standard_cmdline + strlen(standard_cmdline);

	for (;;) {
		char *word;

		while (end > standard_cmdline && end[-1] == ' ')
			end--;
		for (word = end; word > standard_cmdline && word[-1] != ' ';)
			word--;
		*end = 0;
		if (word == end || !is_device_word(word))
			return;
		add_device(word + sizeof(device_key) - 1);
		end = word;
	}
}

/* By address: disks get their names in this order. */
static void sort_devices(void)
{
	for (unsigned i = 1; i < info.ndevices; i++) {
		struct uig_device dev = info.device[i];
		unsigned at = i;

		for (; at > 0 && info.device[at - 1].mmio > dev.mmio; at--)
			info.device[at] = info.device[at - 1];
		info.device[at] = dev;
	}
}

static void find_devices(void)
{
	take_trailing_devices();
	for (const char *p = standard_cmdline; *p; p++) {
		if ((p == standard_cmdline || p[-1] == ' ') && !strncmp(p, "-- ", 3))
			return;
		if (is_device_word(p))
			add_device(p + sizeof(device_key) - 1);
	}
}

/* The direct map of RAM beyond the first GiB. Tables come from RAM below. */
void standard_map_ram(void)
{
	for (unsigned i = 0; i < info.nregions; i++) {
		uint64_t end = info.region[i].base + info.region[i].bytes;

		for (uint64_t at = info.region[i].base & ~(GIB - 1); at < end; at += GIB) {
			if (at && !(standard_pdpt_direct[at / GIB & 511] & PTE_PRESENT))
				pt_map_gib(UIG_VA_DIRECT + at, at);
		}
	}
}

static void read_start_info(const struct pvh_start_info *start)
{
	const struct pvh_region *map = page_ptr(start->memmap);

	if (start->nmodules) {
		const struct pvh_module *module = page_ptr(start->modules);

		info.image = module->base;
		info.image_bytes = module->bytes;
	}
	if (start->cmdline)
		strlcpy(standard_cmdline, page_ptr(start->cmdline), STANDARD_CMDLINE_BYTES);
	for (unsigned i = 0; i < start->memmap_entries && i < 64; i++) {
		if (map[i].type == 1)
			add_ram(map[i].base, map[i].base + map[i].bytes);
	}
}

/* What pvh.S comes to, at CPL 3. start_info lies below 1 GiB (RAM of every monitor that speaks PVH). */
void standard_main(uint64_t start_info)
{
	idt_init(standard_idt, standard_tss, (uint64_t)standard_nmi_stack_top);
	standard_pml4[0] = 0;
	cpu_flush_all();
	info.free_start = gpa_of(libos_end);
	info.cr3 = gpa_of(standard_pml4);
	read_start_info(page_ptr(start_info));
	find_devices();
	sort_devices();
	libos_main(&info);
}

void standard_triple_fault(void)
{
	/* An exception with no usable gate and no usable stack: the processor gives up. */
	memset(standard_idt, 0, 4096);
	for (;;)
		__asm__ volatile("ud2");
}
