/* SPDX-License-Identifier: Apache-2.0 */
/* Firecracker's API, as uvmm and Firecracker speak it: a request to the monitor of a shell, and what its refusal says. */
#ifndef DAEMON_MONITOR_VMM_API_H
#define DAEMON_MONITOR_VMM_API_H

#include "lib/httpc.h"

struct err;
struct shell;

/* body: JSON, borrowed until done(shell, response) is called from the loop; or NULL. 0 or -errno. */
int vmm_request(struct shell *shell, const char *socket, const char *method, const char *target,
	const char *body, unsigned timeout_ms,
	void (*done)(void *shell, const struct httpc_response *response), struct httpc_call **call);
bool vmm_is_good(const struct httpc_response *response);
/* The monitor's {"fault_message": "..."}, or what went wrong on the way: EIO, or ENOSPC when its disk is full. */
void vmm_fault(const struct httpc_response *response, struct err *err);

#endif
