/* SPDX-License-Identifier: Apache-2.0 */
/* The boot line of machines that do not tell the libOS their clock's rate: QEMU's and Firecracker's. */
#ifndef DAEMON_MONITOR_BOOT_LINE_H
#define DAEMON_MONITOR_BOOT_LINE_H

#include "lib/buf.h"
#include "lib/err.h"

struct shell;
struct start_spec;

/* args_boot() with tsc_khz= in front. 0, or -ENOEXEC (the image has no file), -E2BIG or -ENOMEM with err. */
int boot_line_std(const struct shell *shell, const struct start_spec *spec, struct buf *line,
	struct err *err);

#endif
