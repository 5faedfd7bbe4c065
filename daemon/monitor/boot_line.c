/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor/boot_line.h"

#include "daemon/core.h"
#include "daemon/monitor/args.h"
#include "daemon/monitor/monitor.h"
#include "daemon/monitor/tsc.h"

#include <errno.h>

int boot_line_std(
	const struct shell *shell, const struct start_spec *spec, struct buf *line, struct err *err)
{
	if (!spec->image)
		return err_set(
			err, ENOEXEC, "the image has no file, only the process monitor can run it");
	if (buf_printf(line, "tsc_khz=%llu ", (unsigned long long)tsc_khz()))
		return err_sys(err, ENOMEM, "VM");
	return args_boot(shell->core->network, &shell->lease, spec, line, err);
}
