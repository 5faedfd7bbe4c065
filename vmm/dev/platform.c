/* SPDX-License-Identifier: Apache-2.0 */
/* Registers are 64 bits wide; an access of another width or place reads zeros and writes nothing. vCPU thread. */
#include "vmm/dev/platform.h"

#include "abi/layout.h"
#include "abi/platform.h"
#include "vmm/bus.h"
#include "vmm/ram.h"
#include "vmm/vm.h"

#include <string.h>

#define PAGE_BYTES 4096u

static void platform_read(void *arg, uint64_t offset, void *data, unsigned len)
{
	uint64_t magic = UIG_PLATFORM_MAGIC;

	if (offset == UIG_REG_MAGIC && len == sizeof(magic))
		memcpy(data, &magic, sizeof(magic));
}

static void platform_write(void *arg, uint64_t offset, const void *data, unsigned len)
{
	struct vm *vm = arg;
	uint64_t value = 0;

	memcpy(&value, data, len);
	if (offset == UIG_REG_DEBUG)
		vm_guest_debug(vm, (uint8_t)value);
	if (len != sizeof(value))
		return;
	switch (offset) {
	case UIG_REG_WAIT:
		vm_guest_wait(vm, value);
		break;
	case UIG_REG_EXIT:
		vm_guest_exit(vm, (uint32_t)(value >> 32), (uint32_t)value);
		break;
	case UIG_REG_FREE:
		vm_guest_free(vm, value);
		break;
	case UIG_REG_MISSING:
		vm_guest_missing(vm, value);
		break;
	case UIG_REG_FREEZE:
		vm_guest_freeze(vm);
		break;
	case UIG_REG_RAM:
		ram_grow(vm, value);
		break;
	case UIG_REG_MILESTONE:
		vm_guest_milestone(vm, value);
		break;
	default:
		break;
	}
}

int platform_attach(struct vm *vm, struct bus *bus)
{
	return bus_add(bus,
		&(struct bus_range){
			.base = UIG_GPA_PLATFORM,
			.bytes = PAGE_BYTES,
			.read = platform_read,
			.write = platform_write,
			.dev = vm,
		});
}
