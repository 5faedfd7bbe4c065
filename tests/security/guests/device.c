/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of the platform page and of the devices, used as nobody should. */
#include "hostile.h"

#define ROUNDS 20000

static int exit_kinds(void)
{
	write_platform(UIG_REG_EXIT, UIG_EXIT(0x7fffffff, 0xffffffff));
	return 0;
}

static int exit_noexec(void)
{
	write_platform(UIG_REG_EXIT, UIG_EXIT(UIG_EXIT_NOEXEC, 0xffffffff));
	return 0;
}

static int exit_signal(void)
{
	write_platform(UIG_REG_EXIT, UIG_EXIT(UIG_EXIT_SIGNAL, 0xffffffff));
	return 0;
}

static int exit_code(void)
{
	write_platform(UIG_REG_EXIT, UIG_EXIT(UIG_EXIT_CODE, 0xffffff2a));
	return 0;
}

static int exit_panic(void)
{
	write_platform(UIG_REG_EXIT, UIG_EXIT(UIG_EXIT_PANIC, 1));
	return 0;
}

static int milestones(void)
{
	for (int i = 0; i < ROUNDS; i++)
		write_platform(UIG_REG_MILESTONE, i < 64 ? (uint64_t)i : rubbish());
	return 42;
}

static int waits(void)
{
	static const uint64_t odd[] = {0, 1, 0x7fffffffffffffffull, 0x8000000000000000ull};

	for (int i = 0; i < 200; i++)
		write_platform(UIG_REG_WAIT, i % 2 ? odd[(i / 2) % 2] : rubbish() >> 40);
	say("waits done\n");
	for (;;) /* whatever wakes it: the stop itself may, before its signal is seen */
		write_platform(UIG_REG_WAIT, odd[3] | rubbish()); /* some hundred years */
	return 0;
}

static int wait_forever(void)
{
	for (;;)
		write_platform(UIG_REG_WAIT, UIG_WAIT_FOREVER);
	return 0;
}

static int debug(void)
{
	for (int i = 0; i < ROUNDS; i++)
		write_platform(UIG_REG_DEBUG, rubbish());
	return 42;
}

static int kicks(void)
{
	const struct uig_bootinfo *boot = bootinfo();

	for (int i = 0; i < 10 * ROUNDS; i++) {
		const struct uig_device *dev = &boot->device[rubbish() % boot->ndevices];

		write_device(dev, VIRTIO_MMIO_QUEUE_NOTIFY,
			i % 4 ? (uint32_t)i % 2 : (uint32_t)rubbish());
	}
	return 42;
}

/* Every width, every register, every value; EXIT is left out, or it would be over. */
static void touch(uint64_t at, unsigned width)
{
	volatile void *reg = registers(at);
	uint64_t value = rubbish() >> (rubbish() % 64);

	switch (width) {
	case 0:
		*(volatile uint8_t *)reg = (uint8_t)value;
		break;
	case 1:
		*(volatile uint16_t *)reg = (uint16_t)value;
		break;
	case 2:
		*(volatile uint32_t *)reg = (uint32_t)value;
		break;
	case 3:
		*(volatile uint64_t *)reg = value;
		break;
	case 4:
		(void)*(volatile uint8_t *)reg;
		break;
	case 5:
		(void)*(volatile uint16_t *)reg;
		break;
	case 6:
		(void)*(volatile uint32_t *)reg;
		break;
	default:
		(void)*(volatile uint64_t *)reg;
		break;
	}
}

static int device_window(void)
{
	for (int i = 0; i < ROUNDS; i++)
		touch(UIG_GPA_VIRTIO + rubbish() % (4 * UIG_VIRTIO_STRIDE),
			(unsigned)rubbish() % 8);
	return 42;
}

static int everywhere(void)
{
	for (int i = 0; i < ROUNDS; i++)
		touch(UIG_GPA_MMIO + rubbish() % (0xf000000 - 8), (unsigned)rubbish() % 8);
	return 42;
}

/* Devices taken down and set up again with rubbish, as fast as it goes. */
static int renegotiate(void)
{
	static const uint32_t reg[] = {VIRTIO_MMIO_STATUS, VIRTIO_MMIO_QUEUE_SEL,
		VIRTIO_MMIO_QUEUE_NUM, VIRTIO_MMIO_QUEUE_READY, VIRTIO_MMIO_QUEUE_DESC_LOW,
		VIRTIO_MMIO_QUEUE_DESC_HIGH, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
		VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_MMIO_QUEUE_USED_HIGH,
		VIRTIO_MMIO_DRIVER_FEATURES, VIRTIO_MMIO_DRIVER_FEAT_SEL, VIRTIO_MMIO_QUEUE_NOTIFY};
	const struct uig_bootinfo *boot = bootinfo();

	for (int i = 0; i < ROUNDS; i++) {
		const struct uig_device *dev = &boot->device[rubbish() % boot->ndevices];

		write_device(dev, reg[rubbish() % (sizeof(reg) / sizeof(reg[0]))],
			(uint32_t)(rubbish() >> (32 + rubbish() % 32)));
	}
	return 42;
}

const struct attack device_attacks[] = {
	{"exit-kinds", exit_kinds},
	{"exit-noexec", exit_noexec},
	{"exit-signal", exit_signal},
	{"exit-code", exit_code},
	{"exit-panic", exit_panic},
	{"milestones", milestones},
	{"waits", waits},
	{"wait-forever", wait_forever},
	{"debug", debug},
	{"kicks", kicks},
	{"device-window", device_window},
	{"everywhere", everywhere},
	{"renegotiate", renegotiate},
	{0},
};
