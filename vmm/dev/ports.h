/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The I/O ports of a standard machine: COM1, and of the keyboard controller what resets. Everything else reads all ones and ignores
 * writes, as an empty bus does. vCPU thread.
 */
#ifndef VMM_DEV_PORTS_H
#define VMM_DEV_PORTS_H

#include "vmm/dev/serial.h"

struct ports {
	struct serial com1;
	void (*reset)(void *arg); /* the guest wants the machine reset; called once or more */
	void *arg;
};

/* One access of size bytes (1, 2 or 4); wider ones of a byte device go byte by byte. */
void ports_out(struct ports *p, uint16_t port, const uint8_t *data, unsigned size);
void ports_in(struct ports *p, uint16_t port, uint8_t *data, unsigned size);

#endif
