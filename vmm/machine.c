/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine.h"

#include "abi/platform.h"
#include "lib/err.h"
#include "vmm/arch/x86_64/boot_std.h"
#include "vmm/dev/drive.h"
#include "vmm/dev/platform.h"
#include "vmm/dev/tap.h"
#include "vmm/virtio/blk.h"
#include "vmm/virtio/rng.h"
#include "vmm/virtio/p9.h"
#include "vmm/virtio/vsock.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#define BOOT_TIMER_VALUE 123u
#define BOOT_TIMER_BYTES 0x1000u

static int random_mac(struct config *config)
{
	if (getrandom(config->mac, sizeof(config->mac), 0) != (ssize_t)sizeof(config->mac))
		return -EIO;
	config->mac[0] = 0x02; /* locally administered, not a group */
	return 0;
}

static int make_net(struct vm *vm, struct err *err)
{
	struct config *c = &vm->config;
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!c->tap && c->tap_fd < 0)
		return 0;
	if (c->tap_fd >= 0) {
		fd = dup(
			c->tap_fd); /* the configuration keeps its own: the shell may be made again */
		r = fd < 0 ? err_sys(err, errno, "tap descriptor") : tap_adopt(fd, err);
	} else {
		r = fd = tap_open(c->tap, err);
	}
	if (r >= 0 && !c->have_mac)
		r = random_mac(c);
	if (r < 0)
		return r;
	return devices_add_net(&vm->devices, steal_fd(&fd), c->mac, c->mtu, &vm->mem, err);
}

int machine_devices(struct vm *vm, struct err *err)
{
	int r = make_net(vm, err);

	if (r == 0 && vm->devices.ndev)
		net_expect_all(&vm->devices.net);
	if (r == 0)
		r = devices_add_console(
			&vm->devices, vm->console_fd, vm->console_max_bytes, &vm->mem, err);
	if (r == 0)
		r = devices_attach(&vm->devices, &vm->kvm, &vm->bus, err);
	return r < 0 ? r : platform_attach(vm, &vm->bus);
}

static void on_com1(void *arg, uint8_t byte)
{
	vm_guest_debug(arg, byte);
}

static void on_reset(void *arg)
{
	vm_end(arg, END_POWEROFF, 0, "reset by the keyboard controller");
}

/* A guest says with one byte that it has come to its program (Firecracker's boot timer). */
static void on_boot_timer(void *arg, uint64_t offset, const void *data, unsigned len)
{
	if (offset == 0 && len == 1 && *(const uint8_t *)data == BOOT_TIMER_VALUE)
		vm_guest_milestone(arg, UIG_MS_PROGRAM);
}

static void read_nothing(void *arg, uint64_t offset, void *data, unsigned len)
{
	memset(data, 0, len);
}

int machine_ports(struct vm *vm, struct err *err)
{
	struct devices *d = &vm->devices;
	int r = console_init(
		&d->console, vm->console_fd, vm->console_max_bytes, &vm->mem, &d->lock, 0, err);

	if (r < 0)
		return r;
	d->standard = true;
	vm->com1_irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->com1_irq_fd < 0)
		return err_sys(err, errno, "eventfd");
	r = kvm_add_irqfd(&vm->kvm, STD_COM1_GSI, vm->com1_irq_fd, err);
	if (r < 0)
		return r;
	vm->ports = (struct ports){
		.com1 = {.irq_fd = vm->com1_irq_fd, .out = on_com1, .arg = vm},
		.reset = on_reset,
		.arg = vm,
	};
	return bus_add(&vm->bus,
		&(struct bus_range){.base = STD_BOOT_TIMER,
			.bytes = BOOT_TIMER_BYTES,
			.read = read_nothing,
			.write = on_boot_timer,
			.dev = vm});
}

static int make_drive(struct vm *vm, const struct config_drive *drive, struct err *err)
{
	struct devices *d = &vm->devices;
	/* the configuration keeps its own: the shell may be made again */
	struct blk_setup setup = {.id = drive->id,
		.fd = dup(drive->fd),
		.read_only = drive->read_only,
		.flush = drive->flush};
	struct blk_dev *blk;
	int r;

	if (setup.fd < 0)
		return err_sys(err, errno, "drive %s", drive->id);
	r = drive_lock(setup.fd, drive->read_only, err);
	if (r < 0) {
		close(setup.fd);
		return err_prefix(err, "drive %s", drive->id);
	}
	r = blk_new(&setup, &vm->mem, &d->lock, devices_next_base(d), &blk, err);
	return r < 0 ? r : devices_add(d, &blk->virtio, err);
}

static int make_volume(struct vm *vm, const struct config_volume *volume, struct err *err)
{
	struct devices *d = &vm->devices;
	struct p9_setup setup = {.tag = volume->tag,
		.fd = fcntl(volume->fd, F_DUPFD_CLOEXEC, 0),
		.read_only = volume->read_only};
	struct virtio_dev *dev;
	int r;

	if (setup.fd < 0)
		return err_sys(err, errno, "volume %s", volume->tag);
	r = p9_dev_new(&setup, &vm->mem, &d->lock, devices_next_base(d), &dev, err);
	return r < 0 ? err_prefix(err, "volume %s", volume->tag) : devices_add(d, dev, err);
}

static int make_rng(struct vm *vm, struct err *err)
{
	struct devices *d = &vm->devices;
	struct rng_dev *rng;
	int r = rng_new(&vm->mem, &d->lock, devices_next_base(d), &rng, err);

	return r < 0 ? r : devices_add(d, &rng->virtio, err);
}

static int make_vsock(struct vm *vm, struct err *err)
{
	const struct config_vsock *c = &vm->config.vsock;
	struct devices *d = &vm->devices;
	struct vsock_setup setup = {.cid = c->cid,
		.name = c->name,
		.listen_fd = c->listen_fd,
		.folder_fd = c->folder_fd};
	struct virtio_dev *dev;
	int r = vsock_dev_new(&setup, &vm->mem, &d->lock, devices_next_base(d), &dev, err);

	return r < 0 ? err_prefix(err, "vsock") : devices_add(d, dev, err);
}

int machine_late_devices(struct vm *vm, struct err *err)
{
	const struct devices *d = &vm->devices;
	int r = 0;

	for (unsigned i = 0; i < vm->config.ndrives && r == 0; i++)
		r = make_drive(vm, &vm->config.drive[i], err);
	for (unsigned i = 0; i < vm->config.nvolumes && r == 0; i++)
		r = make_volume(vm, &vm->config.volume[i], err);
	if (r == 0 && d->standard)
		r = make_net(vm, err);
	if (r == 0 && vm->config.rng)
		r = make_rng(vm, err);
	if (r == 0 && vm->config.vsock.cid)
		r = make_vsock(vm, err);
	return r < 0 ? r : devices_attach(&vm->devices, &vm->kvm, &vm->bus, err);
}
