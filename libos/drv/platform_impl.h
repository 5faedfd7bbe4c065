/* SPDX-License-Identifier: Apache-2.0 */
/* The two kinds of machine behind platform.h. */
#ifndef LIBOS_DRV_PLATFORM_IMPL_H
#define LIBOS_DRV_PLATFORM_IMPL_H

#include "libos/drv/platform.h"

struct platform_ops {
	void (*wait)(uint64_t deadline);
	void (*exit)(enum uig_exit_kind kind, unsigned code); /* does not return */
	void (*milestone)(enum uig_milestone ms, uint16_t port);
	void (*missing)(unsigned call); /* NULL: nobody to tell */
	void (*debug_putc)(char c);
	void (*free)(gpa_t list);           /* NULL: memory is never given back */
	void (*freeze)(void);               /* NULL: nobody asks for it */
	void (*ram)(gpa_t end);             /* NULL: all of it is there */
	void (*preempt)(uint64_t deadline); /* NULL: the monitor does it */
	uint64_t (*wall_ns)(void); /* by the machine's own clock chip; NULL: there is none */
};

extern const struct platform_ops platform_uvmm, platform_standard;

void platform_standard_init(const struct uig_bootinfo *boot);

#endif
