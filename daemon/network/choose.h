/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subnet when none is given: the first of a row of private ones (10.93.0.0/16 ...) that no route of the namespace overlaps. RUN_DIR/subnet
 * keeps the choice for the next manager, whose VMs have their addresses already.
 */
#ifndef DAEMON_NETWORK_CHOOSE_H
#define DAEMON_NETWORK_CHOOSE_H

#include "daemon/network/subnet.h"

/* netns: NULL: the daemon's own. 0, or -errno with err: -EADDRINUSE when all are taken. */
int subnet_choose(const char *netns, const char *run_dir, struct subnet *subnet, struct err *err);
/* No VM has an address of it any more. */
void subnet_forget(const char *run_dir);

#endif
