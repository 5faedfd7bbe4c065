/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor tells of a start: the port that its guest listens on, and the steps until then. It may have been taken over by
 * its guest: only what has the right form is kept. */
#ifndef DAEMON_MONITOR_TRACE_H
#define DAEMON_MONITOR_TRACE_H

#include <jansson.h>

struct shell;

#define TRACE_STEPS_MAX      64
#define TRACE_NAME_MAX_BYTES 32

/* From uvmm's status when its guest listens: reached, listen_port, request_ns, steps. Sets shell->listens, listen_port, trace and trace_ns. */
void trace_take(struct shell *shell, const json_t *status);

#endif
