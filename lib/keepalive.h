/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_KEEPALIVE_H
#define LIB_KEEPALIVE_H

#define KEEPALIVE_S                                                                                \
	1 /* a connection on which nothing comes is asked so often whether it is still one */
#define KEEPALIVE_PROBES 5 /* so many unanswered in a row: it is not */

/*
 * A connection of this socket, or those that it accepts, find out by themselves that their peer has vanished without a word (a host that
 * lost its power, a VM that was killed), though they send nothing: after 6 s, within 1 s if another one has its address by then. Costs an
 * idle connection a packet a second each way. On a socket that is not TCP it does nothing.
 *
 * No TCP_USER_TIMEOUT, which would find it out while data is on its way: it also ends connections to a peer that lives and takes
 * nothing for a while, as one does that waits for its disk.
 */
void keepalive_on(int fd);

#endif
