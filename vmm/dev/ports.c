/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dev/ports.h"

#include <string.h>

#define COM1            0x3f8u
#define I8042_DATA      0x60u
#define I8042_COMMAND   0x64u
#define I8042_RESET_CPU 0xfeu

void ports_out(struct ports *p, uint16_t port, const uint8_t *data, unsigned size)
{
	for (unsigned i = 0; i < size; i++, port++) {
		if (port >= COM1 && port < COM1 + SERIAL_PORTS)
			serial_write(&p->com1, port - COM1, data[i]);
		else if (port == I8042_COMMAND && data[i] == I8042_RESET_CPU)
			p->reset(p->arg);
	}
}

void ports_in(struct ports *p, uint16_t port, uint8_t *data, unsigned size)
{
	memset(data, 0xff, size);
	for (unsigned i = 0; i < size; i++, port++) {
		if (port >= COM1 && port < COM1 + SERIAL_PORTS)
			data[i] = serial_read(&p->com1, port - COM1);
		else if (port == I8042_COMMAND || port == I8042_DATA)
			data[i] = 0; /* nothing to read, ready for a command */
	}
}
