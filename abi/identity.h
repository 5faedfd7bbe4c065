/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of an instance: all that makes it different from another instance of the same image. It is
 * written by the monitor before the guest's first instruction, and again, with a higher generation, before
 * a clone of a frozen instance runs on.
 *
 * args is one line in the grammar that the kernel command line of a standard boot has too:
 *
 *   ip=ADDR/PREFIX ip6=ADDR/PREFIX gw=ADDR gwmac=MAC gw6=ADDR nd6=ask|static dns=ADDR search=DOMAIN[,DOMAIN]... hostname=NAME trace=0|1 patch=on|off|N aslr=on|off
 *   env=K=V ... cwd=FOLDER mount=TAG:FOLDER[:ro] ... [tsc_khz=N] [wall_ns=N]
 *   -- PROGRAM ARG...
 *
 * gwmac: of the gateway's IPv4 address, which nobody has to ask for then.
 * nd6=static: each IPv6 neighbour on the link has an address that ends in its MAC (RFC 4291, appendix A), so that nobody asks for it.
 * A monitor that checks what the guest sends takes its own addresses from ip= and ip6=, which must then be the first words.
 *
 * Words are separated by blanks; a word with blanks, quotes or backslashes is written in double quotes, in
 * which \" and \\ stand for " and \. mount= puts the 9p device of that tag (a volume) at a folder, which is made when it is
 * not there; cwd= is the program's working folder (/ without it); :ro refuses changes in the libOS too (who serves it does in any case). Unknown options before -- are ignored. Without PROGRAM the image's
 * own default is run (/etc/uigniter/cmdline, the same grammar; options there are defaults).
 */
#ifndef ABI_IDENTITY_H
#define ABI_IDENTITY_H

#include "abi/types.h"

#define UIG_IDENTITY_MAGIC       0x59544e4544474955ull /* "UIGDENTY" */
#define UIG_IDENTITY_BYTES       0x4000u
#define UIG_IDENTITY_ENTROPY     64u
#define UIG_IDENTITY_ARGS_OFFSET 256u
#define UIG_IDENTITY_ARGS_MAX    (UIG_IDENTITY_BYTES - UIG_IDENTITY_ARGS_OFFSET) /* with its NUL */

/* Bits of `events`: set by the monitor with an atomic or, cleared by the libOS with an atomic and; the libOS
 * looks at every system call and after every wait. */
#define UIG_EVENT_TERM     1u /* stop asked for: SIGTERM to the program */
#define UIG_EVENT_IDENTITY 2u /* generation changed: apply this page again */
#define UIG_EVENT_FREEZE                                                                           \
	4u /* come to UIG_REG_FREEZE (abi/platform.h) soon: the VM is to be paused, and perhaps copied */

/* Interrupting the program where there are no interrupts. When the TSC has passed `tsc`, or an event bit has been set, and the
 * vCPU is in the program (RIP < UIG_USER_TOP), the monitor stores RIP in `rip`, sets tsc to UIG_WAIT_FOREVER and lets the vCPU go on at
 * `entry`; no other register changes. It looks every few milliseconds, and not at all while the guest is in WAIT. In
 * the libOS (RIP above) nothing is done: it looks by itself before it goes to the program. `left` is the TSC at which the
 * program went on while something is queued that no device was told of; a monitor may hand it over when that was long ago. */
struct uig_upcall {
	uint64_t entry; /* by the libOS, once; 0: no upcalls */
	uint64_t tsc;   /* by the libOS; UIG_WAIT_FOREVER: none wanted */
	uint64_t rip;   /* by the monitor */
	uint64_t
		left; /* by the libOS: since when the program is on its own; 0: nothing is queued */
};

/* When the libOS came by: its TSC, 0 not yet, of this generation. For people who want to know where the time went; nothing depends on it. */
enum uig_step {
	UIG_STEP_ENTERED, /* of a boot */
	UIG_STEP_MEMORY,
	UIG_STEP_CONSOLE,
	UIG_STEP_IMAGE,
	UIG_STEP_ARGS,
	UIG_STEP_NETWORK,
	UIG_STEP_FILES,
	UIG_STEP_LOADED,
	UIG_STEP_THAWED,  /* of a clone: entropy and clocks are its own */
	UIG_STEP_NAMES,   /* ... its arguments too */
	UIG_STEP_ADDRESS, /* ... and its addresses */
	UIG_STEP_LISTEN,  /* the first listen() */
	UIG_STEP_FRAME,   /* the first frame came in */
	UIG_STEP_SENT,    /* the first answer by TCP or UDP went out */
};
#define UIG_STEPS_MAX 14u

struct uig_identity {
	uint64_t magic;
	uint32_t generation; /* 1 at a boot, + 1 at every clone or restore */
	uint32_t events;
	uint8_t entropy[UIG_IDENTITY_ENTROPY]; /* fresh from the host for each generation */
	uint64_t
		wall_ns; /* CLOCK_REALTIME, in ns since 1970, at the time the TSC had the value below */
	uint64_t wall_tsc;
	uint32_t args_bytes; /* without the NUL */
	uint32_t freezes;    /* by the libOS, once: 1 when it knows UIG_EVENT_FREEZE */
	struct uig_upcall upcall;
	/* Of RAM below the device gap, in pages: with UIG_LIBOS_ASKS_RAM the machine may have no more than the guest needs. */
	uint32_t
		ram_ready; /* by the monitor: what lies below can be touched; it grows by UIG_REG_RAM */
	uint32_t
		ram_used; /* by the libOS: it has touched nothing from here on; 0: it does not say */
	uint64_t step_tsc[UIG_STEPS_MAX]; /* by the libOS: enum uig_step */
	char args[UIG_IDENTITY_ARGS_MAX];
};
ABI_ASSERT_OFFSET(struct uig_identity, entropy, 16);
ABI_ASSERT_OFFSET(struct uig_identity, wall_ns, 80);
ABI_ASSERT_OFFSET(struct uig_identity, upcall, 104);
ABI_ASSERT_OFFSET(struct uig_identity, ram_ready, 136);
ABI_ASSERT_OFFSET(struct uig_identity, args, UIG_IDENTITY_ARGS_OFFSET);
ABI_ASSERT_SIZE(struct uig_identity, UIG_IDENTITY_BYTES);

#endif
