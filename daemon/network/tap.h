/* SPDX-License-Identifier: Apache-2.0 */
/* Taps, which rtnetlink cannot make. A tap that is not persistent lives as long as a descriptor of it: the monitor's. */
#ifndef DAEMON_NETWORK_TAP_H
#define DAEMON_NETWORK_TAP_H

#include "daemon/network/netns.h"

/* Makes a tap with vnet header and without packet information in the namespace. The descriptor (close-on-exec) or -errno:
 * -EBUSY when the name is taken. */
int tap_open(const struct netns *ns, const char *name);
/* It stays when its descriptor is closed, for a program that opens it by its name. 0 or -errno. */
int tap_persist(int fd);

#endif
