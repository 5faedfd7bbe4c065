/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PVH boot protocol, version 1 (Xen, public/arch-x86/hvm/start_info.h: facts): EBX = guest-physical address of struct
 * pvh_start_info, 32-bit protected mode without paging. uvmm writes it for kernels that enter so, the libOS reads it where it is one.
 */
#ifndef ABI_PVH_H
#define ABI_PVH_H

#include "abi/types.h"

#define PVH_START_MAGIC 0x336ec578u
#define PVH_RAM         1u /* types of struct pvh_region, as of E820 */
#define PVH_RESERVED    2u

struct pvh_start_info {
	uint32_t magic, version, flags, nmodules;
	gpa_t modules, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};
ABI_ASSERT_SIZE(struct pvh_start_info, 56);

struct pvh_module {
	gpa_t base;
	uint64_t bytes;
	gpa_t cmdline;
	uint64_t reserved;
};
ABI_ASSERT_SIZE(struct pvh_module, 32);

struct pvh_region {
	gpa_t base;
	uint64_t bytes;
	uint32_t type, reserved;
};
ABI_ASSERT_SIZE(struct pvh_region, 24);

#endif
