/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 16550 that only sends: what the guest writes goes out at once, so that its transmitter is always empty. It interrupts as far as
 * the driver wants to hear of that. Nothing is ever received.
 *
 * Threads: vCPU. Specification: National Semiconductor PC16550D.
 */
#ifndef VMM_DEV_SERIAL_H
#define VMM_DEV_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#define SERIAL_PORTS 8u

struct serial {
	uint8_t ier, lcr, mcr, scratch, dll, dlm;
	bool fifo, empty_news; /* an interrupt for "transmitter empty" waits to be looked at */
	int irq_fd;            /* borrowed eventfd; -1: none */
	void (*out)(void *arg, uint8_t byte);
	void *arg;
};

/* offset below SERIAL_PORTS. */
void serial_write(struct serial *s, unsigned offset, uint8_t value);
uint8_t serial_read(struct serial *s, unsigned offset);

#endif
