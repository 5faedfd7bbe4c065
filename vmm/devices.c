/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/devices.h"

#include "abi/layout.h"
#include "abi/platform.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "vmm/arch/x86_64/boot_std.h"
#include "vmm/arch/x86_64/cpu.h"
#include "vmm/bus.h"
#include "vmm/kvm.h"
#include "vmm/stat.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#define BUDGET        256u /* requests of a queue at one go, before somebody else gets the lock */
#define WAIT_SLICE_NS (3600 * NS_PER_S) /* bounds the arithmetic; a longer wait goes round again */

int devices_init(struct devices *d, struct loop *loop, struct err *err)
{
	*d = (struct devices){
		.loop = loop, .frozen = true, .console = {.fd = -1}, .net = {.tap_fd = -1}};
	pthread_mutex_init(&d->lock, NULL);
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return d->wake_fd < 0 ? err_sys(err, errno, "eventfd") : 0;
}

void devices_fini(struct devices *d)
{
	for (unsigned i = 0; i < d->ndev; i++) {
		loop_io_del(d->watch[i].kick);
		loop_io_del(d->watch[i].source);
		d->dev[i]->ops->fini(d->dev[i]);
	}
	if (d->console.virtio.ops) /* a standard machine's, which is no device */
		d->console.virtio.ops->fini(&d->console.virtio);
	d->ndev = d->nattached = 0;
	if (d->wake_fd >= 0)
		close(d->wake_fd);
	pthread_mutex_destroy(&d->lock);
}

gpa_t devices_next_base(const struct devices *d)
{
	return (d->standard ? STD_VIRTIO : UIG_GPA_VIRTIO) + d->ndev * UIG_VIRTIO_STRIDE;
}

int devices_add(struct devices *d, struct virtio_dev *dev, struct err *err)
{
	if (d->ndev == DEVICES_MAX) {
		dev->ops->fini(dev);
		return err_set(err, ENOSPC, "more than %u devices", DEVICES_MAX);
	}
	d->watch[d->ndev] = (struct device_watch){.devices = d, .dev = dev};
	d->dev[d->ndev++] = dev;
	return 0;
}

int devices_add_console(
	struct devices *d, int fd, uint64_t max_bytes, const struct mem *mem, struct err *err)
{
	int r = console_init(&d->console, fd, max_bytes, mem, &d->lock, devices_next_base(d), err);

	return r < 0 ? r : devices_add(d, &d->console.virtio, err);
}

int devices_add_net(struct devices *d, int tap_fd, const uint8_t mac[6], uint16_t mtu,
	const struct mem *mem, struct err *err)
{
	int r = net_init(&d->net, tap_fd, mac, mtu, mem, &d->lock, devices_next_base(d), err);

	if (r < 0) {
		d->net.virtio.ops->fini(&d->net.virtio);
		return r;
	}
	return devices_add(d, &d->net.virtio, err);
}

/* The device loop listens to sources while it is the one who serves, and the device can do something with them. quick: the guest
 * goes on for a moment only, probably, and what can wait for that (vmm/devices.h) is not listened to. */
static void arm_sources(struct devices *d, bool quick)
{
	for (unsigned i = 0; i < d->nattached; i++) {
		struct device_watch *w = &d->watch[i];
		bool arm = w->source && !d->vcpu_owns && !d->frozen && virtio_wants_source(w->dev);

		if (arm == w->armed || (arm && quick && w->dev->ops->patient))
			continue;
		w->armed = arm;
		loop_io_mod(w->source, arm ? EPOLLIN | EPOLLONESHOT : EPOLLONESHOT);
	}
}

/* Serves one device from the device loop; a kick to itself when there is more than a fair share. */
static void serve_from_loop(struct devices *d, struct virtio_dev *dev)
{
	pthread_mutex_lock(&d->lock);
	if (!d->vcpu_owns && !d->frozen) {
		if (virtio_serve(dev, BUDGET))
			eventfd_write(dev->kick_fd, 1);
		d->brought |= virtio_has_news(dev);
		virtio_interrupt(dev);
		arm_sources(d, false);
	}
	pthread_mutex_unlock(&d->lock);
}

static void on_kick(void *arg, uint32_t events)
{
	struct device_watch *w = arg;
	eventfd_t count;

	if (eventfd_read(w->dev->kick_fd, &count) < 0)
		return;
	stat_inc(&w->devices->loop_wakeups);
	stat_add(&w->dev->kicks, count);
	serve_from_loop(w->devices, w->dev);
}

static void on_source(void *arg, uint32_t events)
{
	struct device_watch *w = arg;

	stat_inc(&w->devices->loop_wakeups);
	pthread_mutex_lock(&w->devices->lock);
	w->armed = false; /* EPOLLONESHOT: an error does not spin, and a watch that fired is off */
	pthread_mutex_unlock(&w->devices->lock);
	serve_from_loop(w->devices, w->dev);
}

static int attach_one(struct devices *d, struct device_watch *w, struct kvm *kvm, struct bus *bus,
	struct err *err)
{
	struct virtio_dev *dev = w->dev;
	int r = virtio_attach(dev, bus);

	if (r == 0)
		r = loop_io_add(d->loop, dev->kick_fd, EPOLLIN, on_kick, w, &w->kick);
	if (r == 0 && dev->source_fd >= 0)
		r = loop_io_add(d->loop, dev->source_fd, EPOLLONESHOT, on_source, w, &w->source);
	if (r < 0)
		return err_sys(err, -r, "device %s", dev->ops->name);
	if (d->standard) {
		dev->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		r = dev->irq_fd < 0
			? err_sys(err, errno, "eventfd")
			: kvm_add_irqfd(kvm, STD_GSI_FIRST + d->nattached, dev->irq_fd, err);
		if (r < 0)
			return r;
	}
	return kvm_add_ioeventfd(kvm, dev->base + VIRTIO_MMIO_QUEUE_NOTIFY, dev->kick_fd, err);
}

int devices_attach(struct devices *d, struct kvm *kvm, struct bus *bus, struct err *err)
{
	for (; d->nattached < d->ndev; d->nattached++) {
		int r = attach_one(d, &d->watch[d->nattached], kvm, bus, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int devices_prepare(struct devices *d, struct uig_device *out, struct err *err)
{
	gpa_t rings = UIG_GPA_RINGS;

	for (unsigned i = 0; i < d->ndev; i++) {
		int r = virtio_prepare(d->dev[i], &rings, &out[i]);

		if (r < 0)
			return err_sys(err, -r, "rings of %s", d->dev[i]->ops->name);
		if (d->dev[i]->ops->describe)
			d->dev[i]->ops->describe(d->dev[i], &out[i]);
	}
	return (int)d->ndev;
}

void devices_freeze(struct devices *d, bool frozen)
{
	pthread_mutex_lock(&d->lock);
	d->frozen = frozen;
	arm_sources(d, false);
	pthread_mutex_unlock(&d->lock);
}

void devices_kick(struct devices *d)
{
	for (unsigned i = 0; i < d->ndev; i++)
		eventfd_write(d->dev[i]->kick_fd, 1);
}

/* The vCPU thread takes the devices, or gives them back. */
static void own(struct devices *d, bool mine)
{
	pthread_mutex_lock(&d->lock);
	d->vcpu_owns = mine;
	for (unsigned i = 0; i < d->ndev; i++)
		d->dev[i]->by_vcpu = mine;
	arm_sources(d, d->looked_at);
	pthread_mutex_unlock(&d->lock);
}

/* The guest does not run, so each ring holds at most its size: the inner loop ends. tried: the sources that are asked at once, bit i that of
 * device i; the others are watched by the sleep that follows, or lead nowhere now. */
static bool serve_all(struct devices *d, uint32_t tried)
{
	bool news = false;

	for (unsigned i = 0; i < d->ndev; i++) {
		struct virtio_dev *dev = d->dev[i];

		dev->source_watched = !(tried >> i & 1) && virtio_wants_source(dev);
		while (virtio_serve(dev, BUDGET) && !virtio_has_news(dev))
			;
		dev->source_watched = false;
		news |= virtio_has_news(dev);
	}
	return news;
}

int64_t devices_ns_until(const struct devices *d, uint64_t deadline)
{
	uint64_t now = cpu_tsc();
	unsigned __int128 ns;

	if (deadline == UIG_WAIT_FOREVER || d->tsc_khz == 0)
		return -1;
	if (now >= deadline)
		return 0;
	ns = ((unsigned __int128)(deadline - now) * 1000000 + d->tsc_khz - 1) / d->tsc_khz;
	return ns > (unsigned __int128)WAIT_SLICE_NS ? WAIT_SLICE_NS : (int64_t)ns;
}

static int64_t ns_since(const struct devices *d, uint64_t from)
{
	return d->tsc_khz ? (int64_t)((cpu_tsc() - from) * 1000000 / d->tsc_khz) : INT64_MAX;
}

/* True: one of them is ready. */
static bool poll_briefly(const struct devices *d, uint64_t from, struct pollfd *fds, nfds_t n)
{
	const struct timespec at_once = {0};

	do {
		if (ppoll(fds, n, &at_once, NULL) > 0)
			return true;
	} while (ns_since(d, from) < BRIEF_NS);
	return false;
}

/* Sleeps until a source, wake_fd or the time. True: one of the former, and *sources are those that have something, as serve_all() takes them;
 * the caller looks at all other reasons again. */
static bool sleep_in_wait(struct devices *d, uint64_t deadline, uint32_t *sources)
{
	struct pollfd fds[DEVICES_MAX + 1];
	int64_t ns = devices_ns_until(d, deadline);
	struct timespec ts = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
	uint64_t from = cpu_tsc();
	nfds_t n = d->ndev;
	eventfd_t count;
	bool ready;

	if (ns == 0)
		return false;
	for (unsigned i = 0; i < d->ndev; i++)
		fds[i] = (struct pollfd){
			.fd = virtio_wants_source(d->dev[i]) ? d->dev[i]->source_fd : -1,
			.events = POLLIN};
	fds[n++] = (struct pollfd){.fd = d->wake_fd, .events = POLLIN};
	ready = brief_pays(&d->brief) && (ns < 0 || ns > BRIEF_NS) && poll_briefly(d, from, fds, n);
	if (!ready) {
		ready = ppoll(fds, n, ns < 0 ? NULL : &ts, NULL) > 0;
		stat_inc(&d->wait_sleeps);
	}
	if (!ready)
		return false;
	brief_note(&d->brief, ns_since(d, from));
	*sources = 0;
	for (unsigned i = 0; i < d->ndev; i++)
		*sources |= fds[i].revents ? 1u << i : 0;
	if (fds[d->ndev].revents & POLLIN)
		eventfd_read(d->wake_fd, &count);
	return true;
}

int devices_wait(struct devices *d, uint64_t deadline, const int *request)
{
	/* Asking an empty tap costs a rare wait more than the sleep's looking at it. */
	uint32_t sources = d->rests ? 0 : ~0u;
	bool serve = true;
	int r = 0;

	own(d, true);
	for (;;) {
		if (__atomic_load_n(request, __ATOMIC_SEQ_CST) != 0) {
			r = -EINTR;
			break;
		}
		if (serve && serve_all(d, sources)) {
			d->brought = true;
			break;
		}
		if ((d->events && __atomic_load_n(d->events, __ATOMIC_SEQ_CST) != 0))
			break;
		if (deadline != UIG_WAIT_FOREVER && cpu_tsc() >= deadline)
			break;
		/* Nothing came: all that there was to do has been done, the guest does not run. */
		serve = sleep_in_wait(d, deadline, &sources);
	}
	if (r == 0) {
		stat_inc(&d->waits);
		for (unsigned i = 0; i < d->ndev; i++)
			virtio_told(d->dev[i]);
	}
	own(d, false);
	return r;
}

void devices_look(struct devices *d)
{
	for (unsigned i = 0; i < d->ndev; i++)
		serve_from_loop(d, d->dev[i]);
}

void devices_drain(struct devices *d)
{
	pthread_mutex_lock(&d->lock);
	d->frozen = false;
	serve_all(d, ~0u);
	for (unsigned i = 0; i < d->ndev; i++) {
		if (d->dev[i]->ops->settle)
			d->dev[i]->ops->settle(d->dev[i]);
	}
	d->frozen = true;
	arm_sources(d, false);
	pthread_mutex_unlock(&d->lock);
}

void devices_wake(struct devices *d)
{
	eventfd_write(d->wake_fd, 1);
}
