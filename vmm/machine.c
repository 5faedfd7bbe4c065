/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/machine.h"

#include "lib/err.h"
#include "vmm/dev/drive.h"
#include "vmm/dev/platform.h"
#include "vmm/dev/tap.h"
#include "vmm/virtio/blk.h"
#include "vmm/virtio/rng.h"
#include "vmm/virtio/p9.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>

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

	if (r == 0)
		r = devices_add_console(
			&vm->devices, vm->console_fd, vm->console_max_bytes, &vm->mem, err);
	if (r == 0)
		r = devices_attach(&vm->devices, &vm->kvm, &vm->bus, err);
	return r < 0 ? r : platform_attach(vm, &vm->bus);
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

int machine_late_devices(struct vm *vm, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < vm->config.ndrives && r == 0; i++)
		r = make_drive(vm, &vm->config.drive[i], err);
	for (unsigned i = 0; i < vm->config.nvolumes && r == 0; i++)
		r = make_volume(vm, &vm->config.volume[i], err);
	if (r == 0 && vm->config.rng)
		r = make_rng(vm, err);
	return r < 0 ? r : devices_attach(&vm->devices, &vm->kvm, &vm->bus, err);
}
