/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor tells the libOS at entry, and what libos.elf tells the monitor about itself.
 *
 * Entry of a libOS boot: CPL 3, 64-bit long mode, IF = 0, RIP = libos_note.entry, RSP = libos_note.stack_top,
 * RDI = UIG_VA_DIRECT + UIG_GPA_BOOTINFO, all other registers 0, FPU and SSE in their reset state with
 * XCR0 = everything that CPUID offers; LSTAR = libos_note.lstar, STAR as in abi/layout.h, SFMASK clears
 * DF, TF, AC, NT and never IF.
 */
#ifndef ABI_BOOT_H
#define ABI_BOOT_H

#include "abi/types.h"

#define UIG_ABI_VERSION 1u
#define UIG_BOOT_MAGIC  0x544f4f4247495538ull /* "8UIGBOOT" */

/* ELF note of libos.elf: name "Uigniter", this type, this payload. Addresses are virtual. */
#define UIG_NOTE_NAME "Uigniter"
#define UIG_NOTE_TYPE 1u
/* It asks by UIG_REG_RAM before it touches RAM from ram_ready of the identity page on, and says in ram_used how far it has come. */
#define UIG_LIBOS_ASKS_RAM 1u
struct uig_libos_note {
	uint32_t abi_version; /* UIG_ABI_VERSION that it was built for */
	uint32_t features;    /* UIG_LIBOS_ */
	uint64_t entry;       /* first instruction, at CPL 3 */
	uint64_t stack_top;   /* 16-byte aligned */
	uint64_t lstar;       /* entry of the syscall instruction, right at CPL 0 and at CPL 3 */
};
ABI_ASSERT_SIZE(struct uig_libos_note, 32);

#define UIG_MEM_REGIONS_MAX 4u
#define UIG_DEVICES_MAX     16u
#define UIG_QUEUES_MAX      3u
#define UIG_TAG_BYTES       8u

struct uig_mem_region {
	gpa_t base;
	uint64_t bytes;
};

struct uig_queue {
	uint32_t size; /* entries, a power of two; 0: absent */
	uint32_t reserved;
	gpa_t desc, avail, used;
};

enum uig_device_type { /* virtio device ids (virtio 1.2, section 5) */
	UIG_DEV_NET = 1,
	UIG_DEV_BLOCK = 2,
	UIG_DEV_CONSOLE = 3,
	UIG_DEV_RNG = 4,
	UIG_DEV_9P = 9,
	UIG_DEV_VSOCK = 19,
};

/* The device is past DRIVER_OK: features are chosen and the queues below are live, so that the driver
 * needs no register access before its first kick. Without the flag it negotiates as virtio says. */
#define UIG_DEVF_PREPARED 1u

struct uig_device {
	uint32_t type;     /* enum uig_device_type */
	uint32_t flags;    /* UIG_DEVF_ */
	gpa_t mmio;        /* virtio-mmio version 2 register page */
	uint64_t features; /* negotiated when prepared, else 0 */
	union {
		struct { /* net */
			uint8_t mac[6];
			uint16_t mtu;
		};
		uint64_t cid;            /* vsock: the guest's */
		char tag[UIG_TAG_BYTES]; /* 9p: what mount= of the arguments names it by, ends with a NUL */
	};
	uint32_t irq; /* GSI, for monitors that interrupt; 0 under uvmm */
	uint32_t reserved;
	/* net, console: 0 rx, 1 tx; vsock: 0 rx, 1 tx, 2 events; the others: 0 requests */
	struct uig_queue queue[UIG_QUEUES_MAX];
};
ABI_ASSERT_SIZE(struct uig_device, 136);

struct uig_bootinfo {
	uint64_t magic; /* UIG_BOOT_MAGIC */
	uint32_t abi_version;
	uint32_t bytes;   /* size of this structure */
	gpa_t free_start; /* first byte of RAM behind libOS and tables that nobody uses */
	gpa_t image;      /* EROFS image, page-aligned; 0: none */
	uint64_t image_bytes;
	gpa_t identity;   /* struct uig_identity; 0: none (standard boot) */
	gpa_t platform;   /* abi/platform.h; 0: none, idle by HLT */
	uint64_t tsc_khz; /* 0: unknown, the libOS has to find out */
	gpa_t cr3;        /* page-table root at entry */
	uint32_t nregions;
	uint32_t ndevices;
	struct uig_mem_region region[UIG_MEM_REGIONS_MAX]; /* all RAM, ascending, page-aligned */
	struct uig_device device[UIG_DEVICES_MAX];
};
ABI_ASSERT_OFFSET(struct uig_bootinfo, region, 80);
ABI_ASSERT_OFFSET(struct uig_bootinfo, device, 144);
_Static_assert(sizeof(struct uig_bootinfo) <= 4096, "boot information is one page");

#endif
