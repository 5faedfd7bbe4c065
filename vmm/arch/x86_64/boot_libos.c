/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/arch/x86_64/boot_libos.h"

#include "abi/boot.h"
#include "abi/layout.h"
#include "abi/platform.h"
#include "abi/virtio.h"
#include "lib/err.h"
#include "vmm/arch/x86_64/cpu.h"
#include "vmm/arch/x86_64/cpu_state.h"
#include "vmm/arch/x86_64/tables.h"
#include "vmm/arch/x86_64/user_pages.h"
#include "vmm/ram.h"
#include "vmm/vm.h"
#include "vmm/workset.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES  4096ull
#define PAGE_UP(n)  (((n) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1))
#define CLOCK_TRIES 5

/* Where the warm-up's code and list stand: the end of the boot information's page, which the libOS does not read. */
#define WARM_CODE (UIG_GPA_BOOTINFO + 0xf00)
#define WARM_LIST (UIG_GPA_BOOTINFO + 0xd00)
#define WARM_DATA_MAX                                                                              \
	(256 * KIB) /* of each writable segment: what lies behind may be a heap that stays untouched */
#define WARM_CODE_MAX (UIG_GPA_BOOTINFO + PAGE_BYTES - WARM_CODE)
_Static_assert(sizeof(struct uig_bootinfo) <= 0xd00, "the warm-up's place");

extern const uint8_t warmup_code[], warmup_code_end[];

struct warm_range {
	uint64_t from, to, write;
};

static void fill_warm_list(struct vm *vm, struct warm_range *list)
{
	unsigned n = 0;

	for (; n < vm->libos.nsegments; n++) {
		const struct elf_segment *s = &vm->libos.segment[n];
		uint64_t bytes = s->mem_bytes;

		if (s->writable && bytes > WARM_DATA_MAX)
			bytes = WARM_DATA_MAX;
		list[n] = (struct warm_range){
			.from = UIG_VA_KERNEL + s->gpa,
			.to = UIG_VA_KERNEL + s->gpa + bytes,
			.write = s->writable,
		};
	}
	list[n++] = (struct warm_range){
		.from = vm->libos.note.stack_top - PAGE_BYTES,
		.to = vm->libos.note.stack_top,
		.write = 1,
	};
	list[n++] = (struct warm_range){
		.from = UIG_VA_DIRECT + UIG_GPA_BOOTINFO,
		.to = UIG_VA_DIRECT + UIG_GPA_IDT + PAGE_BYTES,
		.write = 1,
	};
	list[n] = (struct warm_range){0};
}
_Static_assert((ELF_SEGMENTS_MAX + 3) * sizeof(struct warm_range) <= WARM_CODE - WARM_LIST,
	"the list has room");

/* The registers that run the code over the list at gpa. */
static int warm_regs(struct vm *vm, gpa_t list)
{
	return cpu_set_regs(vm->vcpu.fd,
		&(struct cpu_regs){
			.rip = UIG_VA_KERNEL + WARM_CODE,
			.rdi = UIG_VA_KERNEL + list,
			.rsi = UIG_VA_MMIO + (UIG_GPA_PLATFORM - UIG_GPA_MMIO) + UIG_REG_MAGIC,
		});
}

static int prepare_warm_up(struct vm *vm)
{
	struct warm_range *list = mem_at(&vm->mem, WARM_LIST, WARM_CODE - WARM_LIST);
	size_t bytes = (size_t)(warmup_code_end - warmup_code);

	memcpy(mem_at(&vm->mem, WARM_CODE, bytes), warmup_code, bytes);
	fill_warm_list(vm, list);
	return warm_regs(vm, WARM_LIST);
}

void boot_libos_warm_up(struct vm *vm)
{
	struct cpu_regs entry = {
		.rip = vm->libos.note.entry,
		.rsp = vm->libos.note.stack_top,
		.rdi = UIG_VA_DIRECT + UIG_GPA_BOOTINFO,
	};

	if (prepare_warm_up(vm) == 0)
		vcpu_run_aside(&vm->vcpu);
	memset(mem_at(&vm->mem, WARM_LIST, UIG_GPA_BOOTINFO + PAGE_BYTES - WARM_LIST), 0,
		UIG_GPA_BOOTINFO + PAGE_BYTES - WARM_LIST);
	cpu_set_regs(vm->vcpu.fd, &entry);
}

/* A clone's list is longer, and stands where its argument line will. */
#define CLONE_LIST  (UIG_GPA_IDENTITY + UIG_IDENTITY_ARGS_OFFSET)
#define WARM_RANGES (UIG_IDENTITY_ARGS_MAX / sizeof(struct warm_range) - 1)

struct warm_list {
	struct vm *vm;
	struct warm_range *range; /* in guest memory */
	unsigned n;
};

/* Runs the code over the list. */
static void run_warm(struct warm_list *list)
{
	list->range[list->n] = (struct warm_range){0};
	if (list->n && warm_regs(list->vm, CLONE_LIST) == 0)
		vcpu_run_aside(&list->vm->vcpu);
	list->n = 0;
}

static void add_warm(struct warm_list *list, uint64_t from, uint64_t bytes, bool write)
{
	list->range[list->n++] =
		(struct warm_range){.from = from, .to = from + bytes, .write = write};
	if (list->n == WARM_RANGES)
		run_warm(list);
}

static void add_libos(struct warm_list *list)
{
	const struct elf_plan *libos = &list->vm->libos;

	for (unsigned i = 0; i < libos->nsegments; i++) {
		uint64_t bytes = libos->segment[i].mem_bytes;

		add_warm(list, UIG_VA_KERNEL + libos->segment[i].gpa,
			bytes < WARM_DATA_MAX * 2 ? bytes : WARM_DATA_MAX, false);
	}
}

/* Page for page what the tables allow: what the program has not mapped yet, or may not write yet, would be a fault of the guest's. */
static void add_user(struct warm_list *list, const struct workset_user *user)
{
	const struct vm *vm = list->vm;
	uint64_t end = user->va + user->pages * PAGE_BYTES, from = user->va;

	for (uint64_t va = user->va; va <= end; va += PAGE_BYTES) {
		if (va < end && user_page_is_mapped(&vm->mem, vm->cr3, va, user->write))
			continue;
		if (va > from)
			add_warm(list, from, va - from, user->write);
		from = va + PAGE_BYTES;
	}
}

void boot_libos_warm_clone(struct vm *vm, const struct workset *set)
{
	size_t code_bytes = (size_t)(warmup_code_end - warmup_code);
	uint8_t *code = mem_at(&vm->mem, WARM_CODE, code_bytes), code_was[WARM_CODE_MAX];
	struct warm_list list = {vm, mem_at(&vm->mem, CLONE_LIST, UIG_IDENTITY_ARGS_MAX), 0};
	_cleanup_free_ uint8_t *was = malloc(UIG_IDENTITY_ARGS_MAX);
	struct kvm_regs regs;

	if (!was || cpu_state_get_regs(vm->vcpu.fd, &regs) < 0)
		return;
	memcpy(was, list.range, UIG_IDENTITY_ARGS_MAX);
	memcpy(code_was, code, code_bytes);
	memcpy(code, warmup_code, code_bytes);
	add_libos(&list);
	for (unsigned i = 0; set && i < set->nranges; i++)
		add_warm(&list, UIG_VA_DIRECT + set->range[i].gpa, set->range[i].pages * PAGE_BYTES,
			true);
	for (unsigned i = 0; set && i < set->nuser; i++)
		add_user(&list, &set->user[i]);
	run_warm(&list);
	memcpy(list.range, was, UIG_IDENTITY_ARGS_MAX);
	memcpy(code, code_was, code_bytes);
	cpu_state_set_regs(vm->vcpu.fd, &regs);
}

/* For a snapshot, which brings the rest. */
static int prepare_blank(struct vm *vm, struct err *err)
{
	uint64_t xcr0 = 0;
	int r = 0;

	if (vm->config.libos) {
		r = libos_plan(vm->config.libos, vm->low_bytes, &vm->libos, err);
		if (r < 0)
			return r;
		close(r);
	}
	r = cpu_set_features(vm->kvm.fd, vm->vcpu.fd, &xcr0, err);
	vm->tsc_khz = cpu_share_tsc(vm->vcpu.fd);
	return r;
}

int boot_libos_prepare(struct vm *vm, struct err *err)
{
	uint64_t xcr0 = 0;
	int r;

	if (vm->blank)
		return prepare_blank(vm, err);
	r = libos_load(vm->config.libos, &vm->mem, vm->low_bytes, &vm->libos, err);
	if (r < 0)
		return r;
	vm->ram_asks = vm->libos.note.features & UIG_LIBOS_ASKS_RAM;
	r = tables_build(&vm->mem, vm->low_bytes, vm->high_bytes, &vm->cr3, err);
	if (r == 0)
		r = tables_map_image(&vm->mem, vm->window_bytes, err);
	if (r == 0)
		r = cpu_set_features(vm->kvm.fd, vm->vcpu.fd, &xcr0, err);
	if (r < 0)
		return r;
	vm->tsc_khz = cpu_share_tsc(vm->vcpu.fd);
	return cpu_enter_user(vm->vcpu.fd, vm->cr3, vm->libos.note.lstar, xcr0, err);
}

/* A second slot behind the first, in the same reservation. Slow (a grace period of the kernel), and rare. */
static int grow_window(struct vm *vm, uint64_t bytes, struct err *err)
{
	int r = kvm_add_slot(&vm->kvm, UIG_GPA_IMAGE + vm->window_bytes, bytes - vm->window_bytes,
		vm->window + vm->window_bytes, true, err);

	if (r < 0)
		return r;
	vm->window_bytes = bytes;
	return tables_map_image(&vm->mem, bytes, err);
}

int boot_libos_image(struct vm *vm, const char *path, uint64_t *bytes, struct err *err)
{
	_cleanup_close_ int fd = -1;
	uint64_t mapped;
	struct stat st;
	int r;

	*bytes = 0;
	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "image %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > UIG_IMAGE_MAX_BYTES)
		return err_set(err, EINVAL, "image %s: not a file of 1 byte to 4 GiB", path);
	mapped = PAGE_UP((uint64_t)st.st_size);
	if (mapped > vm->window_bytes) {
		r = grow_window(vm, mapped, err);
		if (r < 0)
			return r;
	}
	if (mmap(vm->window, mapped, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
		return err_sys(err, errno, "map image %s", path);
	r = mem_add(&vm->mem, UIG_GPA_IMAGE, mapped, vm->window, false);
	if (r < 0)
		return err_sys(err, -r, "image window");
	*bytes = (uint64_t)st.st_size;
	return 0;
}

static int fill_args(struct uig_identity *id, const char *args, struct err *err)
{
	size_t len = args ? strlen(args) : 0;

	if (len >= UIG_IDENTITY_ARGS_MAX)
		return err_set(err, E2BIG, "boot arguments of %zu bytes, at most %zu", len,
			(size_t)UIG_IDENTITY_ARGS_MAX - 1);
	if (len)
		memcpy(id->args, args, len);
	id->args[len] = '\0';
	id->args_bytes = (uint32_t)len;
	return 0;
}

/* The two clocks are read together: the TSC is the mean of one before and one after, of several tries where these are nearest,
 * since another thread may have the processor for milliseconds in between. */
static void fill_clock(struct uig_identity *id)
{
	uint64_t nearest = UINT64_MAX;

	for (unsigned i = 0; i < CLOCK_TRIES; i++) {
		uint64_t before = cpu_tsc(), apart;
		struct timespec ts;

		clock_gettime(CLOCK_REALTIME, &ts);
		apart = cpu_tsc() - before;
		if (apart >= nearest)
			continue;
		nearest = apart;
		id->wall_tsc = before + apart / 2;
		id->wall_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	}
}

uint64_t boot_libos_free_start(const struct vm *vm)
{
	return PAGE_UP(vm->libos.end);
}

static void fill_bootinfo(struct vm *vm, struct uig_bootinfo *info, uint64_t image_bytes)
{
	info->magic = UIG_BOOT_MAGIC;
	info->abi_version = UIG_ABI_VERSION;
	info->bytes = sizeof(*info);
	info->free_start = boot_libos_free_start(vm);
	info->image = image_bytes ? UIG_GPA_IMAGE : 0;
	info->image_bytes = image_bytes;
	info->identity = UIG_GPA_IDENTITY;
	info->platform = UIG_GPA_PLATFORM;
	info->tsc_khz = vm->tsc_khz;
	info->cr3 = vm->cr3;
	info->nregions = 1;
	info->region[0] = (struct uig_mem_region){.base = 0, .bytes = vm->low_bytes};
	if (vm->high_bytes) {
		info->nregions = 2;
		info->region[1] =
			(struct uig_mem_region){.base = UIG_GPA_HIGH_RAM, .bytes = vm->high_bytes};
	}
}

int boot_libos_identity(struct vm *vm, uint64_t image_bytes, struct err *err)
{
	struct uig_bootinfo *info = mem_at(&vm->mem, UIG_GPA_BOOTINFO, sizeof(*info));
	struct uig_identity *id = vm->identity;
	int r = fill_args(id, vm->config.args, err);

	if (r < 0)
		return r;
	if (getrandom(id->entropy, sizeof(id->entropy), 0) != (ssize_t)sizeof(id->entropy))
		return err_sys(err, errno, "getrandom");
	id->magic = UIG_IDENTITY_MAGIC;
	id->generation = vm->generation = 1;
	id->events = 0;
	ram_tell(vm);
	r = devices_prepare(&vm->devices, info->device, err);
	if (r < 0)
		return r;
	info->ndevices = (uint32_t)r;
	fill_bootinfo(vm, info, image_bytes);
	fill_clock(id);
	return 0;
}

/* Without a line of its own it keeps that of the snapshot, which its guest wrote: a copy, that has an end. */
static int take_args(struct vm *vm, const struct uig_identity *id, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (vm->config.args)
		return 0;
	text = strndup(id->args, sizeof(id->args) - 1);
	return text && config_set(&vm->config.args, text) == 0
		? 0
		: err_set(err, ENOMEM, "out of memory");
}

int boot_libos_thaw(struct vm *vm, struct err *err)
{
	struct uig_bootinfo *info = mem_at(&vm->mem, UIG_GPA_BOOTINFO, sizeof(*info));
	struct uig_identity *id = vm->identity;
	const struct devices *d = &vm->devices;
	int r = take_args(vm, id, err);

	if (r == 0)
		r = fill_args(id, vm->config.args, err);
	if (r < 0)
		return r;
	if (getrandom(id->entropy, sizeof(id->entropy), 0) != (ssize_t)sizeof(id->entropy))
		return err_sys(err, errno, "getrandom");
	for (unsigned i = 0; i < d->ndev; i++) {
		if (d->dev[i]->ops->describe)
			d->dev[i]->ops->describe(d->dev[i], &info->device[i]);
	}
	info->tsc_khz = vm->tsc_khz;
	id->generation = ++vm->generation;
	fill_clock(id);
	memset(id->step_tsc, 0, sizeof(id->step_tsc));
	__atomic_store_n(&id->events, UIG_EVENT_IDENTITY, __ATOMIC_SEQ_CST);
	return 0;
}
