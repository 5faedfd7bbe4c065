/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform page of uvmm: a few 64-bit registers outside all memory, so that an access leaves the guest
 * (28 us from CPL 3 under PVM, 1-2 us on hardware). There are no interrupts: the libOS learns of device
 * work by looking at its used rings, and sleeps in WAIT.
 *
 *   WAIT       the write returns when a live queue has used entries that the guest asked to hear of, when an
 *              event bit is set in the identity page, or when the guest's TSC reaches the value written;
 *              UIG_WAIT_FOREVER: no deadline; 0: only let the devices work once. All queues with available
 *              buffers are served first, so that a guest that is about to sleep needs no kick.
 *              Both conditions are levels, not edges. Asked to hear of: with the event index, used.idx has
 *              passed used_event, (uint16_t)(used.idx - used_event - 1) < 0x8000; so the guest writes the
 *              number of entries that it has seen to be told of the next one, and an index ahead of used.idx
 *              by the queue's size or more (at most 0x7fff) to be told of nothing. Event bits: until cleared.
 *   EXIT       the VM ends; the value is UIG_EXIT(kind, code).
 *   MILESTONE  UIG_MILESTONE(which, detail): the monitor notes the time (exit report, API), and of LISTEN the detail: the TCP port that
 *              others reach at the instance's address now, 0 for none of that kind.
 *   DEBUG      one byte to the console log, unbuffered: for panics only.
 *   FREE       address (gpa, page-aligned) of a struct uig_free_list: the guest does not need this memory any more. The monitor gives
 *              it back to the host, stores how many ranges of the list it has served in `done`, and stops at the first
 *              that is not whole pages of the guest's RAM. What was served reads as zeros.
 *   MISSING    number of a system call that the program made and the libOS answered with -ENOSYS, once for each; the monitor keeps
 *              one bit a number below UIG_CALLS_MAX and forgets all others (exit report, API).
 *   FREEZE     the answer to UIG_EVENT_FREEZE; the value means nothing. The VM is paused inside this write, and goes on behind it when it is
 *              resumed: as itself, or as a clone, whose identity page has UIG_EVENT_IDENTITY set then. So the libOS looks at the events again
 *              before anything else. Without a pause that waits for it the write does nothing.
 *   RAM        end (gpa, page-aligned) of the RAM below the device gap that the guest is about to use. Behind the write ram_ready of the
 *              identity page says how far it can; where that is less, the host had no memory for more.
 */
#ifndef ABI_PLATFORM_H
#define ABI_PLATFORM_H

#include "abi/types.h"

#define UIG_REG_MAGIC     0x00u /* reads UIG_PLATFORM_MAGIC */
#define UIG_REG_WAIT      0x08u
#define UIG_REG_EXIT      0x10u
#define UIG_REG_MILESTONE 0x18u
#define UIG_REG_DEBUG     0x20u
#define UIG_REG_FREE      0x28u
#define UIG_REG_MISSING   0x30u
#define UIG_REG_FREEZE    0x38u
#define UIG_REG_RAM       0x40u

#define UIG_CALLS_MAX 512u

#define UIG_PLATFORM_MAGIC 0x4d524f4654414c50ull /* "PLATFORM" */
#define UIG_WAIT_FOREVER   0xffffffffffffffffull

#define UIG_EXIT(kind, code) (((uint64_t)(kind) << 32) | (uint32_t)(code))
enum uig_exit_kind {
	UIG_EXIT_CODE = 0,   /* the program ended: exit status 0-255 */
	UIG_EXIT_SIGNAL = 1, /* the program was ended by this signal */
	UIG_EXIT_PANIC = 2,  /* the libOS found itself broken */
	UIG_EXIT_NOEXEC = 3, /* the program could not be started: errno */
};

#define UIG_FREE_RANGES 255u
struct uig_free_range {
	gpa_t base;
	uint64_t bytes;
};
struct uig_free_list {  /* one page */
	uint32_t count; /* by the guest */
	uint32_t done;  /* by the monitor */
	uint64_t reserved;
	struct uig_free_range range[UIG_FREE_RANGES];
};
ABI_ASSERT_SIZE(struct uig_free_list, 4096);

#define UIG_MILESTONE(which, detail) (((uint64_t)(detail) << 32) | (uint32_t)(which))
enum uig_milestone {
	UIG_MS_LIBOS = 1,   /* libOS entered */
	UIG_MS_PROGRAM = 2, /* first instruction of the program comes next */
	UIG_MS_LISTEN = 3,  /* the program called listen() for the first time */
	UIG_MS_IDLE = 4,    /* of the monitor's: the first WAIT behind that which has to sleep */
};

#endif
