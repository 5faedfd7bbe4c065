/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/snapshot/load.h"

#include "lib/err.h"
#include "vmm/arch/x86_64/boot_libos.h"
#include "vmm/machine.h"
#include "vmm/ram.h"
#include "vmm/snapshot/snapshot.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A machine for it, when nothing has been prepared: memory as it had, as much of it told to KVM as its guest uses. */
static int make_machine(struct vm *vm, const struct snapshot *s, struct err *err)
{
	if (vm_state(vm) != VM_EMPTY)
		return 0;
	vm->config.mem_mib = (uint32_t)(s->ram_bytes / MIB);
	return vm_prepare_blank(vm, s->ram_used, err);
}

static int check(struct vm *vm, const struct snapshot *s, struct err *err)
{
	struct snapshot_host host = {
		.libos_id = vm->libos.build_id, .libos_id_bytes = vm->libos.build_id_bytes};
	int r;

	if (vm->kind != BOOT_LIBOS)
		return err_set(err, EINVAL, "a snapshot can not be loaded into a standard machine");
	if (vm->config.ndrives || vm->config.nvolumes || vm->config.vsock.cid)
		return err_set(err, EINVAL,
			"a snapshot can not be loaded into a machine with drives, folders or "
			"vsock");
	mem_ram(&vm->mem, &host.ram_bytes);
	r = cpu_state_fingerprint(vm->kvm.fd, &host.cpu, err);
	return r < 0 ? r : snapshot_fits(s, &host, err);
}

static int map_memory(struct vm *vm, const struct snapshot *s, int fd, struct err *err)
{
	int r = mem_clear_ram(&vm->mem, vm->config.huge_pages);

	for (unsigned i = 0; i < s->nextents && r == 0; i++)
		r = mem_back_ram(&vm->mem, s->extent[i].offset, s->extent[i].bytes, fd);
	return r < 0 ? err_sys(err, -r, "map the memory file") : 0;
}

static int map_image(struct vm *vm, const struct snapshot *s, const char *path, struct err *err)
{
	uint8_t id[SHA256_BYTES] = {0};
	int r;

	if (!s->image_bytes)
		return 0;
	if (!path)
		return err_set(err, EINVAL, "the snapshot has an image: `image_path` is missing");
	r = boot_libos_image(vm, path, &vm->image_bytes, err);
	if (r < 0)
		return r;
	if (vm->image_bytes == s->image_bytes)
		snapshot_image_id(vm->window, vm->image_bytes, id);
	if (vm->image_bytes != s->image_bytes || memcmp(id, s->image_id, sizeof(id)) != 0)
		return err_set(err, EINVAL, "image %s is not the one that the snapshot has", path);
	return 0;
}

static int set_devices(struct vm *vm, const struct snapshot *s, struct err *err)
{
	struct devices *d = &vm->devices;
	int r;

	for (unsigned i = 0; i < s->ndevices; i++)
		vm->config.rng |= s->device[i].type == UIG_DEV_RNG;
	r = machine_late_devices(vm, err);
	if (r < 0)
		return r;
	if (d->ndev != s->ndevices)
		return err_set(err, EINVAL,
			"the snapshot has %u devices, this machine %u (a network interface too "
			"many "
			"or too few?)",
			s->ndevices, d->ndev);
	for (unsigned i = 0; i < d->ndev; i++) {
		if (virtio_restore(d->dev[i], &s->device[i]) < 0)
			return err_set(err, EINVAL, "device %u, %s: not a state that it can have",
				i, d->dev[i]->ops->name);
	}
	return 0;
}

static void set_rest(struct vm *vm, const struct snapshot *s)
{
	if (!vm->libos.build_id_bytes) { /* it runs that of the snapshot */
		vm->libos.build_id_bytes = s->libos_id_bytes;
		memcpy(vm->libos.build_id, s->libos_id, sizeof(s->libos_id));
	}
	vm->ram_asks = s->ram_used > 0;
	ram_tell(vm);
	vm->cr3 = s->cr3;
	vm->generation = s->generation;
	vm->milestones_before = s->milestones;
	memcpy(vm->missing_calls, s->missing_calls, sizeof(vm->missing_calls));
}

/* It must not be written to while it is mapped here. */
static void note_file(struct vm *vm, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return;
	vm->memory_dev = st.st_dev;
	vm->memory_ino = st.st_ino;
}

static int load(struct vm *vm, const struct snapshot_source *from, const struct snapshot *s,
	struct err *err)
{
	_cleanup_close_ int fd = open(from->memory, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "%s", from->memory);
	r = snapshot_check_memory(s, fd, from->verify, err);
	if (r == 0)
		r = make_machine(vm, s, err);
	if (r == 0)
		r = check(vm, s, err);
	if (r < 0)
		return r;
	vm_await_shell(vm);
	r = map_memory(vm, s, fd, err);
	if (r == 0)
		r = map_image(vm, s, vm->config.image, err);
	if (r == 0)
		r = set_devices(vm, s, err);
	if (r == 0)
		r = cpu_state_set(vm->vcpu.fd, &s->cpu_state, err);
	if (r < 0)
		return r;
	set_rest(vm, s);
	note_file(vm, fd);
	return vm_loaded(vm, err);
}

int snapshot_load(struct vm *vm, const struct snapshot_source *from, struct err *err)
{
	_cleanup_free_ struct snapshot *s = malloc(sizeof(*s));
	_cleanup_close_ int fd = open(from->state, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "%s", from->state);
	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	r = snapshot_read(fd, s, err);
	if (r < 0)
		return err_prefix(err, "%s", from->state);
	return load(vm, from, s, err);
}
