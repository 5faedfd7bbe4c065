/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start-up, once, on the boot stack:
 *
 *   machine -> frames, page tables, clock -> image, arguments -> first thread -> devices, network -> program
 *
 * From the first thread on everything may block.
 */
#include "libos/main.h"

#include "abi/boot.h"
#include "abi/identity.h"
#include "abi/layout.h"
#include "libos/arch/x86_64/cpu.h"
#include "libos/arch/x86_64/idt.h"
#include "libos/arch/x86_64/patch.h"
#include "libos/arch/x86_64/pt.h"
#include "libos/arch/x86_64/standard.h"
#include "libos/arch/x86_64/trap.h"
#include "libos/drv/console.h"
#include "libos/drv/net.h"
#include "libos/drv/platform.h"
#include "libos/drv/virtio_9p.h"
#include "libos/drv/virtio_blk.h"
#include "libos/exec/args.h"
#include "libos/exec/exec.h"
#include "libos/fs/etc.h"
#include "libos/fs/p9fs_mount.h"
#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/net/vsock_init.h"
#include "libos/sched/clock.h"
#include "libos/sched/event.h"
#include "libos/sched/thread_impl.h"
#include "libos/sched/upcall.h"

#define DEFAULTS_PATH "/etc/uigniter/cmdline"
#define DEFAULTS_MAX  8192u

static const struct uig_bootinfo *boot;

static const struct uig_device *find_device(enum uig_device_type type)
{
	for (unsigned i = 0; i < boot->ndevices && i < UIG_DEVICES_MAX; i++) {
		if (boot->device[i].type == type)
			return &boot->device[i];
	}
	return NULL;
}

const uint8_t *boot_mac(void)
{
	const struct uig_device *net = find_device(UIG_DEV_NET);

	return net ? net->mac : NULL;
}

uint64_t boot_tsc_khz(void)
{
	return boot->tsc_khz;
}

static void open_disks(void)
{
	for (unsigned i = 0; i < boot->ndevices && i < UIG_DEVICES_MAX; i++) {
		int r = boot->device[i].type == UIG_DEV_BLOCK ? vblk_open(&boot->device[i]) : 0;

		if (r)
			kprintf("block device: error %d", -r);
	}
}

static struct v9p *volume[UIG_DEVICES_MAX];
static unsigned nvolumes;

static void open_volumes(void)
{
	for (unsigned i = 0; i < boot->ndevices && i < UIG_DEVICES_MAX; i++) {
		int r;

		if (boot->device[i].type != UIG_DEV_9P)
			continue;
		r = v9p_open(&boot->device[i], &volume[nvolumes]);
		if (r)
			kprintf("volume: error %d", -r);
		else
			nvolumes++;
	}
}

/* In the order of the line: a volume may lie in another. Without what it was told to have, the program does not start. */
static int mount_volumes(void)
{
	for (unsigned m = 0; m < boot_args.nmounts; m++) {
		const struct args_mount *mount = &boot_args.mount[m];
		int r = -ENODEV;

		for (unsigned i = 0; i < nvolumes; i++) {
			if (!strcmp(v9p_tag(volume[i]), mount->tag))
				r = p9_mount(volume[i], mount->place, mount->read_only);
		}
		if (r) {
			kprintf("volume %s at %s: error %d", mount->tag, mount->place, -r);
			return r;
		}
	}
	return 0;
}

static void init_machine(void)
{
	cpu_init();
	platform_init(boot);
	if (boot->platform)
		idt_init(page_ptr(UIG_GPA_IDT), page_ptr(UIG_GPA_TSS), 0);
	platform_milestone(UIG_MS_LIBOS, 0);
	page_init(boot);
	pt_init(boot->cr3);
	if (!boot->platform)
		standard_map_ram();
}

/* The CPUID leaves that tell the TSC's frequency (Intel SDM 18.7.3; 0x40000010: the hypervisor's). */
static uint64_t cpuid_tsc_khz(void)
{
	uint32_t r[4];

	cpuid(0x40000000, 0, r);
	if (r[0] >= 0x40000010 && r[0] < 0x40010000) {
		cpuid(0x40000010, 0, r);
		if (r[0])
			return r[0];
	}
	cpuid(0, 0, r);
	if (r[0] < 0x15)
		return 0;
	cpuid(0x15, 0, r);
	return r[0] && r[1] && r[2] ? (uint64_t)r[2] * r[1] / r[0] / 1000 : 0;
}

static void init_clock(void)
{
	uint64_t khz = boot->tsc_khz;

	if (!khz)
		khz = boot_args.tsc_khz;
	if (!khz)
		khz = cpuid_tsc_khz();
	if (!khz && !boot->platform)
		khz = standard_calibrate_khz();
	clock_init(khz);
}

/* The instance's own line: identity page, or kernel command line. */
static char *instance_line(struct uig_identity *identity)
{
	if (identity && identity->magic == UIG_IDENTITY_MAGIC) {
		char *text = kmalloc(UIG_IDENTITY_ARGS_MAX);

		if (!text)
			panic("no memory for the arguments");
		memcpy(text, identity->args, UIG_IDENTITY_ARGS_MAX);
		text[UIG_IDENTITY_ARGS_MAX - 1] = 0;
		return text;
	}
	return standard_cmdline;
}

/* The image's defaults come first, so that the instance's own line wins. */
static int read_defaults(void)
{
	struct file *f;
	char *text;
	long n;

	if (vfs_open(DEFAULTS_PATH, 0, 0, &f))
		return 0;
	text = kmalloc(DEFAULTS_MAX);
	n = text ? file_pread(f, text, DEFAULTS_MAX - 1, 0) : -ENOMEM;
	file_put(f);
	if (n < 0)
		return (int)n;
	text[n] = 0;
	return args_parse(&boot_args, text);
}

_Noreturn static void no_program(int error)
{
	console_flush();
	platform_exit(UIG_EXIT_NOEXEC, (unsigned)-error);
}

/* The rest of the start-up, as the first thread. */
static void start_program(void)
{
	struct regs *regs = thread_regs(thread_current());
	int r;

	r = net_init(find_device(UIG_DEV_NET), &boot_args.net);
	if (r)
		kprintf("network: error %d", -r);
	event_step(UIG_STEP_NETWORK);
	r = vsock_init(find_device(UIG_DEV_VSOCK));
	if (r)
		kprintf("vsock: error %d", -r);
	r = vfs_stdio();
	if (r)
		panic("no standard descriptors: %d", r);
	if (!boot_args.argc) {
		kprintf("no program is named");
		no_program(-ENOENT);
	}
	r = etc_init(&boot_args);
	if (r)
		kprintf("/etc: error %d", -r);
	patch_init(boot_args.patch_after);
	r = mount_volumes();
	if (r)
		no_program(r);
	r = boot_args.cwd ? vfs_chdir(boot_args.cwd) : 0;
	if (r) {
		kprintf("working folder %s: error %d", boot_args.cwd, -r);
		no_program(r);
	}
	event_step(UIG_STEP_FILES);
	r = exec_load(&boot_args, regs);
	if (r)
		no_program(r);
	event_step(UIG_STEP_LOADED);
	strlcpy(process.exe, boot_args.argv[0], sizeof(process.exe));
	thread_set_name(thread_current(), process.exe);
	platform_milestone(UIG_MS_PROGRAM, 0);
	user_return(regs);
	regs_enter(regs);
}

void libos_main(const struct uig_bootinfo *bootinfo)
{
	struct uig_identity *identity;
	int r, bad;

	boot = bootinfo;
	init_machine();
	identity = boot->identity ? page_ptr(boot->identity) : NULL;
	event_init(identity, &standard_events);
	if (identity)
		page_bound(&identity->ram_ready, &identity->ram_used, platform_ram);
	event_step(UIG_STEP_ENTERED); /* with nothing but the machine behind it */
	upcall_init(identity ? &identity->upcall : NULL);
	vm_init();
	signal_init();
	init_clock();
	event_apply_identity();
	event_step(UIG_STEP_MEMORY);
	r = console_init(find_device(UIG_DEV_CONSOLE));
	if (r)
		kprintf("console: error %d", -r);
	event_step(UIG_STEP_CONSOLE);
	open_disks();
	open_volumes();
	r = vfs_init(boot->image ? page_ptr(boot->image) : NULL, boot->image_bytes);
	if (r) {
		kprintf("the image can not be used: error %d", -r);
		no_program(r);
	}
	event_step(UIG_STEP_IMAGE);
	bad = read_defaults();
	if (!bad)
		bad = args_parse(&boot_args, instance_line(identity));
	if (bad) {
		kprintf("the arguments can not be used: error %d", -bad);
		no_program(bad);
	}
	if (boot_args.tsc_khz && !boot->tsc_khz)
		clock_init(boot_args.tsc_khz);
	if (!identity)
		clock_set_real(boot_args.wall_ns ? boot_args.wall_ns : platform_wall_ns());
	event_step(UIG_STEP_ARGS);
	thread_start_first(start_program);
}
