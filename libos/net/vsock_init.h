/* SPDX-License-Identifier: Apache-2.0 */
/* AF_VSOCK, as the start-up code sees it. */
#ifndef LIBOS_NET_VSOCK_INIT_H
#define LIBOS_NET_VSOCK_INIT_H

struct uig_device;

/* Opens the device (NULL: none, sockets of the instance itself can still meet). 0 or -errno. */
int vsock_init(const struct uig_device *dev);

#endif
