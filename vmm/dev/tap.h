/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the host's side of a network interface: IFF_TAP|IFF_NO_PI|IFF_VNET_HDR, 12-byte header, non-blocking. */
#ifndef VMM_DEV_TAP_H
#define VMM_DEV_TAP_H

struct err;

/* Attaches to (or makes) the tap of this name in the caller's network namespace. A descriptor or -errno. */
int tap_open(const char *name, struct err *err);

/* Checks a descriptor that was passed in and sets it up the same way. 0 or -errno; fd stays the caller's. */
int tap_adopt(int fd, struct err *err);

#endif
