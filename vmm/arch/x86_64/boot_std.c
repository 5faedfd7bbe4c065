/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/arch/x86_64/boot_std.h"

#include "abi/layout.h"
#include "abi/pvh.h"
#include "lib/err.h"
#include "vmm/arch/x86_64/acpi.h"
#include "vmm/arch/x86_64/cpu.h"
#include "vmm/arch/x86_64/cpu_std.h"
#include "vmm/kernel.h"
#include "vmm/vm.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define START_INFO     0x6000ull
#define MODULES        0x6040ull
#define MEMMAP         0x7000ull /* PVH */
#define BOOT_PARAMS    0x7000ull /* Linux */
#define CMDLINE        0x20000ull
#define CMDLINE_BYTES  2048u
#define LOW_END        0x9fc00ull  /* of conventional memory */
#define HIGH_BEGIN     0x100000ull /* of memory behind the ROM area */
#define PAGE_BYTES     4096ull
#define LOADER_UNKNOWN 0xffu
#define BOOT_FLAG      0xaa55u
#define HEADER_MAGIC   0x53726448u /* "HdrS" */
#define PROTOCOL       0x020fu
#define KERNEL_ALIGN   0x1000000u

#define REGIONS_MAX 4u

const char *const boot_kind_names[] = {"auto", "libos", "pvh", "linux", NULL};

int boot_std_detect(const char *path, enum boot_kind *kind, struct err *err)
{
	struct kernel_plan plan;
	int r = kernel_load(path, NULL, UINT64_MAX / 2, &plan, err);

	if (r == 0)
		*kind = plan.libos ? BOOT_LIBOS : plan.pvh_entry ? BOOT_PVH : BOOT_LINUX;
	return r;
}

int boot_std_prepare(struct vm *vm, struct err *err)
{
	uint64_t xcr0;
	int r = cpu_set_features_std(vm->kvm.fd, vm->vcpu.fd, &xcr0, err);

	return r < 0 ? r : cpu_set_lint(vm->vcpu.fd, err);
}

/* RAM as the guest is told of it. */
static unsigned fill_regions(const struct vm *vm, struct pvh_region *region)
{
	unsigned n = 0;

	region[n++] = (struct pvh_region){.base = 0, .bytes = LOW_END, .type = PVH_RAM};
	region[n++] = (struct pvh_region){
		.base = LOW_END, .bytes = HIGH_BEGIN - LOW_END, .type = PVH_RESERVED};
	region[n++] = (struct pvh_region){
		.base = HIGH_BEGIN, .bytes = vm->low_bytes - HIGH_BEGIN, .type = PVH_RAM};
	if (vm->high_bytes)
		region[n++] = (struct pvh_region){
			.base = UIG_GPA_HIGH_RAM, .bytes = vm->high_bytes, .type = PVH_RAM};
	return n;
}

/* The initrd lies at the top of low RAM, mapped and not copied: RAM that is not touched costs nothing. */
static int load_initrd(
	struct vm *vm, const char *path, gpa_t kernel_end, struct pvh_module *out, struct err *err)
{
	_cleanup_close_ int fd = -1;
	uint64_t mapped;
	struct stat st;
	void *to;

	*out = (struct pvh_module){0};
	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "initrd %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return err_set(err, EINVAL, "initrd %s: not a file of at least 1 byte", path);
	mapped = ((uint64_t)st.st_size + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	if (vm->low_bytes < kernel_end || (uint64_t)st.st_size > vm->low_bytes - kernel_end ||
		vm->low_bytes - mapped < kernel_end)
		return err_set(err, EFBIG, "initrd %s: kernel and initrd need more RAM", path);
	out->base = vm->low_bytes - mapped;
	out->bytes = (uint64_t)st.st_size;
	to = mem_at(&vm->mem, out->base, mapped);
	if (!to ||
		mmap(to, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
			MAP_FAILED)
		return err_sys(err, errno, "map initrd %s", path);
	return 0;
}

static int write_cmdline(struct vm *vm, struct err *err)
{
	char *line = mem_at(&vm->mem, CMDLINE, CMDLINE_BYTES);
	const char *args = vm->config.args ? vm->config.args : "";
	const struct config_drive *root = vm->config.ndrives ? &vm->config.drive[0] : NULL;
	const char *dashes = strstr(args, " -- "); /* what follows is the program's, of our libOS */
	int head = dashes ? (int)(dashes - args) : (int)strlen(args);
	size_t n;

	if (!line)
		return err_set(err, EINVAL, "too little RAM for the command line");
	n = (size_t)snprintf(line, CMDLINE_BYTES, "%.*s", head, args);
	if (root && root->root && n < CMDLINE_BYTES)
		n += (size_t)snprintf(line + n, CMDLINE_BYTES - n, "%sroot=/dev/vda %s",
			n ? " " : "", root->read_only ? "ro" : "rw");
	for (unsigned i = 0; i < vm->devices.ndev && n < CMDLINE_BYTES; i++)
		n += (size_t)snprintf(line + n, CMDLINE_BYTES - n,
			"%svirtio_mmio.device=4K@0x%llx:%u", n ? " " : "",
			(unsigned long long)vm->devices.dev[i]->base, STD_GSI_FIRST + i);
	if (dashes && n < CMDLINE_BYTES)
		n += (size_t)snprintf(line + n, CMDLINE_BYTES - n, "%s", dashes);
	return n < CMDLINE_BYTES
		? 0
		: err_set(err, E2BIG, "a command line of more than %u bytes", CMDLINE_BYTES - 1);
}

static int write_pvh(struct vm *vm, const struct pvh_module *initrd, struct err *err)
{
	struct pvh_start_info *start = mem_at(&vm->mem, START_INFO, sizeof(*start));
	struct pvh_module *module = mem_at(&vm->mem, MODULES, sizeof(*module));
	struct pvh_region *map = mem_at(&vm->mem, MEMMAP, REGIONS_MAX * sizeof(*map));

	if (!start || !module || !map)
		return err_set(err, EINVAL, "too little RAM");
	*start = (struct pvh_start_info){
		.magic = PVH_START_MAGIC,
		.version = 1,
		.nmodules = initrd->bytes != 0,
		.modules = initrd->bytes ? MODULES : 0,
		.cmdline = CMDLINE,
		.rsdp = ACPI_RSDP,
		.memmap = MEMMAP,
		.memmap_entries = fill_regions(vm, map),
	};
	*module = *initrd;
	return 0;
}

static int write_boot_params(struct vm *vm, const struct pvh_module *initrd, struct err *err)
{
	struct boot_params *p = mem_at(&vm->mem, BOOT_PARAMS, sizeof(*p));
	struct pvh_region region[REGIONS_MAX] = {0};
	unsigned n = fill_regions(vm, region);

	if (!p)
		return err_set(err, EINVAL, "too little RAM");
	memset(p, 0, sizeof(*p));
	p->hdr.type_of_loader = LOADER_UNKNOWN;
	p->hdr.boot_flag = BOOT_FLAG;
	p->hdr.header = HEADER_MAGIC;
	p->hdr.version = PROTOCOL;
	p->hdr.kernel_alignment = KERNEL_ALIGN;
	p->hdr.cmd_line_ptr = CMDLINE;
	p->hdr.cmdline_size = CMDLINE_BYTES - 1;
	p->hdr.ramdisk_image = (uint32_t)initrd->base;
	p->hdr.ramdisk_size = (uint32_t)initrd->bytes;
	p->acpi_rsdp_addr = ACPI_RSDP;
	for (unsigned i = 0; i < n; i++)
		p->e820_table[i] = (struct boot_e820_entry){
			.addr = region[i].base, .size = region[i].bytes, .type = region[i].type};
	p->e820_entries = (uint8_t)n;
	return 0;
}

static int write_acpi(struct vm *vm, struct err *err)
{
	struct acpi_device device[DEVICES_MAX];
	unsigned n = vm->devices.ndev;
	int r;

	for (unsigned i = 0; i < n; i++)
		device[i] = (struct acpi_device){
			.base = (uint32_t)vm->devices.dev[i]->base, .gsi = STD_GSI_FIRST + i};
	r = acpi_build(&vm->mem, device, n);
	return r < 0 ? err_sys(err, -r, "ACPI tables") : 0;
}

int boot_std_load(struct vm *vm, struct err *err)
{
	struct pvh_module initrd = {0};
	struct kernel_plan plan;
	int r;

	if (vm->low_bytes <= HIGH_BEGIN)
		return err_set(err, EINVAL, "too little RAM for a kernel");
	r = kernel_load(vm->config.libos, &vm->mem, vm->low_bytes, &plan, err);
	if (r == 0)
		r = load_initrd(vm, vm->config.image, plan.end, &initrd, err);
	if (r == 0)
		r = write_cmdline(vm, err);
	if (r == 0)
		r = write_acpi(vm, err);
	if (r < 0)
		return r;
	if (vm->kind == BOOT_PVH && !plan.pvh_entry)
		return err_set(err, ENOEXEC, "%s: no PVH note", vm->config.libos);
	if (vm->kind == BOOT_PVH) {
		r = write_pvh(vm, &initrd, err);
		return r < 0
			? r
			: cpu_enter_pvh(vm->vcpu.fd, &vm->mem, plan.pvh_entry, START_INFO, err);
	}
	r = write_boot_params(vm, &initrd, err);
	return r < 0 ? r : cpu_enter_linux(vm->vcpu.fd, &vm->mem, plan.entry, BOOT_PARAMS, err);
}
