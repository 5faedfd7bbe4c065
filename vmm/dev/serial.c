/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/dev/serial.h"

#include <sys/eventfd.h>

#define IER_EMPTY     0x02u
#define IER_BITS      0x0fu
#define IIR_NONE      0x01u
#define IIR_EMPTY     0x02u
#define IIR_FIFO      0xc0u
#define LCR_DLAB      0x80u
#define MCR_LOOP      0x10u
#define LSR_EMPTY     0x60u
#define MSR_CONNECTED 0xb0u /* CTS, DSR, DCD */

static void news(struct serial *s)
{
	s->empty_news = true;
	if ((s->ier & IER_EMPTY) && s->irq_fd >= 0)
		eventfd_write(s->irq_fd, 1);
}

void serial_write(struct serial *s, unsigned offset, uint8_t value)
{
	bool dlab = s->lcr & LCR_DLAB;
	uint8_t old = s->ier;

	switch (offset) {
	case 0:
		if (dlab) {
			s->dll = value;
		} else if (!(s->mcr & MCR_LOOP)) {
			s->out(s->arg, value);
			news(s);
		}
		break;
	case 1:
		if (dlab) {
			s->dlm = value;
			break;
		}
		s->ier = value & IER_BITS;
		if (s->ier & ~old & IER_EMPTY)
			news(s);
		break;
	case 2:
		s->fifo = value & 1;
		break;
	case 3:
		s->lcr = value;
		break;
	case 4:
		s->mcr = value & 0x1f;
		break;
	case 7:
		s->scratch = value;
		break;
	default: /* the status registers are not written */
		break;
	}
}

static uint8_t read_iir(struct serial *s)
{
	uint8_t iir = IIR_NONE;

	if (s->empty_news && (s->ier & IER_EMPTY)) {
		iir = IIR_EMPTY;
		s->empty_news = false;
	}
	return iir | (s->fifo ? IIR_FIFO : 0);
}

/* In the loop the outputs of the modem control come back as its inputs. */
static uint8_t read_msr(const struct serial *s)
{
	uint8_t m = s->mcr;

	if (!(m & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((m & 1) << 5 | (m & 2) << 3 | (m & 4) << 4 | (m & 8) << 4);
}

uint8_t serial_read(struct serial *s, unsigned offset)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (offset) {
	case 0:
		return dlab ? s->dll : 0;
	case 1:
		return dlab ? s->dlm : s->ier;
	case 2:
		return read_iir(s);
	case 3:
		return s->lcr;
	case 4:
		return s->mcr;
	case 5:
		return LSR_EMPTY;
	case 6:
		return read_msr(s);
	default:
		return s->scratch;
	}
}
