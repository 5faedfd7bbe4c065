/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: virtio-console, written in whole buffers. Before the device is found, text is kept (4 KiB). When the host does not take the
 * text fast enough it waits for the ring, at most for what fits: a program that floods its console waits like on a slow terminal.
 */
#ifndef LIBOS_DRV_CONSOLE_H
#define LIBOS_DRV_CONSOLE_H

#include <stddef.h>

struct uig_device;

int console_init(const struct uig_device
		*dev); /* 0 or -errno; NULL: there is none, text goes to platform_debug_putc */
void console_write(const char *text, size_t len);
/* Hands all text to the device and waits until it has taken it: before exit. */
void console_flush(void);

#endif
