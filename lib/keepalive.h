/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_KEEPALIVE_H
#define LIB_KEEPALIVE_H

#define KEEPALIVE_S                                                                                \
	60 /* a connection on which nothing comes is asked so often whether it is still one */
#define KEEPALIVE_PROBE_S 5 /* and then, without an answer, so often again */
#define KEEPALIVE_PROBES  3 /* so many unanswered in a row: it is not */

/*
 * A connection of this socket, or those that it accepts, find out by themselves that their peer has vanished without a word (a host that
 * lost its power), though they send nothing: within 75 s. That is the last resort, so it may cost an idle connection no more than a packet a
 * minute: a process that is killed is told of by its kernel, and a VM that is killed by the manager (libos/net/gone.h), at once. On a
 * socket that is not TCP it does nothing.
 *
 * No TCP_USER_TIMEOUT, which would find it out while data is on its way: it also ends connections to a peer that lives and takes
 * nothing for a while, as one does that waits for its disk.
 */
void keepalive_on(int fd);

#endif
