/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages are looked at: those that the process's own page map has memory for, and those that show a file and may not have been touched
 * here (code of the libOS; the memory of a clone). Of these the pages of zeros are left out. Without a page map all are looked at: slower, and
 * the same result.
 */
#include "vmm/snapshot/save.h"

#include "lib/err.h"
#include "vmm/ram.h"
#include "vmm/snapshot/snapshot.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES  4096ull
#define CHUNK_PAGES 512u
#define MAP_HAS_MEMORY                                                                             \
	(3ull << 62)  /* present, or swapped out (Documentation/admin-guide/mm/pagemap.rst) */
#define GAP_FIRST 16u /* pages of zeros that are not worth a part of their own */
#define WRITE_MAX (1ull << 30) /* below what one write takes */

struct snapshot_saving {
	struct vm *vm;
	const uint8_t *ram;
	uint64_t pages;
	int state_fd, fd; /* borrowed; fd: memory */
	uint8_t *
		used; /* owned: a bit a page, first of those that may have contents, then of those that have */
	struct sha256 digest;
	uint64_t map[CHUNK_PAGES];
	struct snapshot snap;
};

int snapshot_can_save(struct vm *vm, struct err *err)
{
	if (vm_state(vm) != VM_PAUSED)
		return err_set(err, EINVAL, "the microVM is not paused");
	if (vm->kind != BOOT_LIBOS)
		return err_set(err, EINVAL,
			"a standard machine can not be frozen: only one that runs the libOS");
	if (vm->config.ndrives || vm->config.nvolumes || vm->config.vsock.cid)
		return err_set(err, EINVAL,
			"a microVM with %s can not be frozen: their state is not in it",
			vm->config.ndrives            ? "drives"
				: vm->config.nvolumes ? "shared folders"
						      : "a vsock device");
	if (!vm->at_freeze)
		return err_set(err, EINVAL,
			"the guest has not come to a point where it can be frozen: resume it and "
			"try again");
	return 0;
}

/* --- which pages ------------------------------------------------------------------------------------------------ */
static void read_map(struct snapshot_saving *s, uint64_t first, unsigned n)
{
	off_t at = (off_t)(((uintptr_t)s->ram / PAGE_BYTES + first) * sizeof(s->map[0]));
	ssize_t want = (ssize_t)(n * sizeof(s->map[0]));

	if (s->vm->pagemap_fd < 0 || pread(s->vm->pagemap_fd, s->map, (size_t)want, at) != want)
		memset(s->map, 0xff, sizeof(s->map));
}

static bool of_libos(const struct vm *vm, uint64_t offset)
{
	const struct elf_plan *libos = &vm->libos;

	for (unsigned i = 0; i < libos->nsegments; i++) {
		if (offset >= libos->segment[i].gpa &&
			offset < libos->segment[i].gpa + libos->segment[i].mem_bytes)
			return true;
	}
	return false;
}

static bool may_have_contents(const struct snapshot_saving *s, uint64_t page, uint64_t map)
{
	uint64_t offset = page * PAGE_BYTES;

	return (map & MAP_HAS_MEMORY) || mem_is_backed(&s->vm->mem, offset) ||
		of_libos(s->vm, offset);
}

static bool is_used(const struct snapshot_saving *s, uint64_t page)
{
	return s->used[page / 8] >> page % 8 & 1;
}

/* This process's own page map: not for a child. */
static void find_present(struct snapshot_saving *s)
{
	for (uint64_t first = 0; first < s->pages; first += CHUNK_PAGES) {
		uint64_t left = s->pages - first;
		unsigned n = left < CHUNK_PAGES ? (unsigned)left : CHUNK_PAGES;

		read_map(s, first, n);
		for (unsigned i = 0; i < n; i++) {
			if (may_have_contents(s, first + i, s->map[i]))
				s->used[(first + i) / 8] |= (uint8_t)(1u << (first + i) % 8);
		}
	}
}

static void drop_zeros(struct snapshot_saving *s)
{
	for (uint64_t page = 0; page < s->pages; page++) {
		if (is_used(s, page) && snapshot_page_is_zero(s->ram + page * PAGE_BYTES))
			s->used[page / 8] &= (uint8_t) ~(1u << page % 8);
	}
}

/* The next run of used pages from *at on: its pages, 0 when there is none. */
static uint64_t next_run(const struct snapshot_saving *s, uint64_t *at)
{
	uint64_t n = 0;

	while (*at < s->pages && !is_used(s, *at))
		(*at)++;
	while (*at + n < s->pages && is_used(s, *at + n))
		n++;
	return n;
}

/* --- the files -------------------------------------------------------------------------------------------------- */
static int write_all(int fd, const void *data, uint64_t bytes, uint64_t offset)
{
	const uint8_t *p = data;

	while (bytes > 0) {
		ssize_t n = pwrite(fd, p, bytes < WRITE_MAX ? bytes : WRITE_MAX, (off_t)offset);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		offset += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

static int write_memory(struct snapshot_saving *s, struct snapshot *snap, struct err *err)
{
	uint64_t at = 0, n;

	if (ftruncate(s->fd, 0) < 0 || ftruncate(s->fd, (off_t)snap->ram_bytes) < 0)
		return err_sys(err, errno, "memory file");
	sha256_init(&s->digest);
	for (; (n = next_run(s, &at)) > 0; at += n) {
		const uint8_t *data = s->ram + at * PAGE_BYTES;
		int r = write_all(s->fd, data, n * PAGE_BYTES, at * PAGE_BYTES);

		if (r < 0)
			return err_sys(err, -r, "write the memory file");
		snapshot_digest_run(&s->digest, at * PAGE_BYTES, data, n * PAGE_BYTES);
		snap->mem_pages += n;
	}
	sha256_end(&s->digest, snap->mem_digest);
	return 0;
}

/* Runs with less than `gap` pages between them are one part. False: there are too many. */
static bool list_extents(const struct snapshot_saving *s, struct snapshot *snap, uint64_t gap)
{
	struct snapshot_extent *last = NULL;
	uint64_t at = 0, n;

	snap->nextents = 0;
	for (; (n = next_run(s, &at)) > 0; at += n) {
		uint64_t offset = at * PAGE_BYTES;

		if (last && offset - (last->offset + last->bytes) < gap * PAGE_BYTES) {
			last->bytes = offset + n * PAGE_BYTES - last->offset;
			continue;
		}
		if (snap->nextents == SNAPSHOT_EXTENTS_MAX / 2)
			return false;
		last = &snap->extent[snap->nextents++];
		*last = (struct snapshot_extent){offset, n * PAGE_BYTES};
	}
	return true;
}

static int save_memory(struct snapshot_saving *s, struct err *err)
{
	uint64_t gap = GAP_FIRST;
	int r;

	drop_zeros(s);
	r = write_memory(s, &s->snap, err);
	if (r < 0)
		return r;
	while (!list_extents(s, &s->snap, gap))
		gap *= 2;
	return 0;
}

static void describe(const struct vm *vm, struct snapshot *snap)
{
	snprintf(snap->monitor, sizeof(snap->monitor), "%s", UIGNITER_VERSION);
	snap->abi_version = UIG_ABI_VERSION;
	snap->libos_id_bytes = vm->libos.build_id_bytes;
	memcpy(snap->libos_id, vm->libos.build_id, sizeof(snap->libos_id));
	snap->image_bytes = vm->image_bytes;
	if (vm->image_bytes)
		snapshot_image_id(vm->window, vm->image_bytes, snap->image_id);
	snap->tsc_khz = vm->tsc_khz;
	snap->ram_used = ram_used(vm);
	snap->cr3 = vm->cr3;
	snap->generation = vm->generation;
	for (unsigned i = 0; i < VM_MILESTONES; i++)
		snap->milestones |= stat_get(&vm->times.milestone_ns[i]) ? 1u << i : 0;
	snap->milestones |= vm->milestones_before; /* it has not run yet */
	memcpy(snap->missing_calls, vm->missing_calls, sizeof(snap->missing_calls));
}

static int save_devices(const struct devices *d, struct snapshot *snap, struct err *err)
{
	for (unsigned i = 0; i < d->ndev; i++) {
		if (virtio_save(d->dev[i], &snap->device[i]) < 0)
			return err_set(err, EIO, "the guest's %s has failed", d->dev[i]->ops->name);
	}
	snap->ndevices = d->ndev;
	return 0;
}

static bool is_own_memory(const struct vm *vm, int fd)
{
	struct stat st;

	return vm->memory_ino && fstat(fd, &st) == 0 && st.st_dev == vm->memory_dev &&
		st.st_ino == vm->memory_ino;
}

static int find(struct snapshot_saving *s, struct err *err)
{
	struct vm *vm = s->vm;
	int r;

	if (is_own_memory(vm, s->fd))
		return err_set(err, EBUSY, "mem_file_path is the file that this microVM runs from");
	describe(vm, &s->snap);
	s->ram = mem_ram(&vm->mem, &s->snap.ram_bytes);
	s->pages = s->snap.ram_bytes / PAGE_BYTES;
	s->used = calloc(1, s->pages / 8 + 1);
	if (!s->used)
		return err_set(err, ENOMEM, "out of memory");
	find_present(s);
	r = cpu_state_fingerprint(vm->kvm.fd, &s->snap.cpu, err);
	if (r == 0)
		r = cpu_state_get(vm->vcpu.fd, &s->snap.cpu_state, err);
	return r == 0 ? save_devices(&vm->devices, &s->snap, err) : r;
}

int snapshot_saving_new(
	struct vm *vm, int state_fd, int mem_fd, struct snapshot_saving **saving, struct err *err)
{
	struct snapshot_saving *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	s->vm = vm;
	s->state_fd = state_fd;
	s->fd = mem_fd;
	r = find(s, err);
	if (r < 0)
		snapshot_saving_free(s);
	else
		*saving = s;
	return r;
}

int snapshot_saving_write(struct snapshot_saving *s, struct err *err)
{
	int r = save_memory(s, err);

	if (r < 0)
		return r;
	snapshot_seal(&s->snap);
	if (ftruncate(s->state_fd, 0) < 0)
		return err_sys(err, errno, "state file");
	r = write_all(s->state_fd, &s->snap, sizeof(s->snap), 0);
	return r < 0 ? err_sys(err, -r, "write the state file") : 0;
}

void snapshot_saving_free(struct snapshot_saving *s)
{
	if (!s)
		return;
	free(s->used);
	free(s);
}

int snapshot_save(struct vm *vm, int state_fd, int mem_fd, struct err *err)
{
	struct snapshot_saving *saving;
	int r = snapshot_saving_new(vm, state_fd, mem_fd, &saving, err);

	if (r < 0)
		return r;
	r = snapshot_saving_write(saving, err);
	snapshot_saving_free(saving);
	return r;
}
