/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that was used and is free goes back to the host: what nobody took again for half a second, in batches, by a timer that runs only
 * while there is something to give. Where the monitor does not take memory back nothing happens.
 */
#ifndef LIBOS_MEM_GIVEBACK_H
#define LIBOS_MEM_GIVEBACK_H

/* Cheap: looks at how much there is. Called where memory becomes free, and before sleeping. */
void giveback_check(void);

#endif
