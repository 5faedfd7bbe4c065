/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/ram.h"

#include "abi/layout.h"
#include "lib/err.h"
#include "lib/log.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE_BYTES  4096ull
#define LARGE_BYTES (2 * MIB)
#define ROOM_BYTES  (8 * MIB) /* a clone's first answers are to find it: 20 KiB of KVM's */

static uint64_t round_up(uint64_t n)
{
	return (n + LARGE_BYTES - 1) & ~(LARGE_BYTES - 1);
}

static int add(struct vm *vm, gpa_t gpa, uint8_t *hva, uint64_t bytes, struct err *err)
{
	int r = kvm_add_slot(&vm->kvm, gpa, bytes, hva, false, err);

	return r < 0 ? r : mem_add(&vm->mem, gpa, bytes, hva, true);
}

/* Of the part below the gap the monitor's own view is all of it, from the beginning. */
static int add_low(struct vm *vm, uint8_t *ram, struct err *err)
{
	int r = kvm_add_slot(&vm->kvm, 0, vm->ram_ready, ram, false, err);

	return r < 0 ? r : mem_add(&vm->mem, 0, vm->low_bytes, ram, true);
}

int ram_make(struct vm *vm, uint64_t ready, struct err *err)
{
	uint64_t bytes = vm->config.mem_mib * MIB;
	uint8_t *ram = mem_reserve(&vm->mem, bytes, true, err);
	int r;

	if (!ram)
		return err ? -err->code : -ENOMEM;
	madvise(ram, bytes, vm->config.huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	vm->low_bytes = bytes < UIG_GPA_MMIO ? bytes : UIG_GPA_MMIO;
	vm->high_bytes = bytes - vm->low_bytes;
	vm->ram_ready = ready < vm->low_bytes ? ready : vm->low_bytes;
	r = add_low(vm, ram, err);
	if (r == 0 && vm->high_bytes)
		r = add(vm, UIG_GPA_HIGH_RAM, ram + vm->low_bytes, vm->high_bytes, err);
	return r;
}

uint64_t ram_enough(uint64_t used)
{
	return used ? round_up(used + ROOM_BYTES) : RAM_ALL;
}

void ram_tell(struct vm *vm)
{
	__atomic_store_n(
		&vm->identity->ram_ready, (uint32_t)(vm->ram_ready / PAGE_BYTES), __ATOMIC_RELEASE);
}

void ram_grow(struct vm *vm, uint64_t end)
{
	uint64_t from = vm->ram_ready, ready = 2 * from, all = 0;
	uint8_t *ram = mem_ram(&vm->mem, &all);
	struct err err = {0};

	if (!vm->identity || !ram || end > vm->low_bytes || end <= from)
		return;
	if (ready < end)
		ready = round_up(end);
	if (ready > vm->low_bytes)
		ready = vm->low_bytes;
	if (kvm_add_slot(&vm->kvm, from, ready - from, ram + from, false, &err) < 0)
		log_warn("the guest gets no more memory", "ready_mib=%llu error=\"%s\"",
			(unsigned long long)(from / MIB), err.msg);
	else
		stat_set(&vm->ram_ready, ready);
	ram_tell(vm);
}

uint64_t ram_used(const struct vm *vm)
{
	uint64_t used = (uint64_t)vm->identity->ram_used * PAGE_BYTES;

	return vm->ram_asks && used <= vm->ram_ready ? used : 0;
}
