/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of one VM and who serves them: the heart of the monitor while the guest runs.
 *
 *   guest runs     the device loop serves kicks (ioeventfd) and sources (the tap, finished requests), under `lock`.
 *   vCPU in WAIT   the vCPU thread serves everything itself and sleeps in ppoll(), after polling for a moment where that pays
 *                  (vmm/brief.h): a request that arrives wakes one thread, and that one runs the guest. The device loop keeps its hands off.
 *
 * `vcpu_owns` says which; it changes under `lock` and by the vCPU thread alone. While it is true the vCPU thread
 * needs no lock to serve, because the device loop looks at it under the lock before it touches a device.
 *
 * Why no wake-up is lost. (1) Kicks: a guest kicks and waits in program order on its one vCPU, and devices_wait() looks
 * at every ring after taking ownership; so a kick whose eventfd the device loop has not yet read is served
 * there, and the device loop, when it comes to it, may ignore it. Kicks that come after the wait find vcpu_owns false
 * or, when the device loop sees it still true, a later devices_wait() that serves them. The one gap is a kick between the
 * release of ownership and the next wait that the loop handles before the release: not possible, for
 * the guest can only kick after devices_wait() has returned, which is after the release. (2) Frames, and requests that
 * another thread has finished: a source is level-triggered in ppoll() and in epoll; arming it again after a wait reports what
 * has come meanwhile. (3) News for the
 * guest: only the vCPU thread fills used rings during a wait, and it looks at used_event after filling and
 * before sleeping; used_event can not change meanwhile, the guest is not running. The condition is a level, not an edge
 * (virtqueue_has_news()): what the device loop published just before the wait makes the wait return at once.
 * (4) What is patient (the tap, the sockets of vsock) is not armed by the end of a wait: two system calls, and a wake-up of the device loop in vain, when the next
 * wait follows in microseconds. It is armed again by whatever the device loop serves next: a kick, or its look every few
 * milliseconds (vmm/upcall.c). (5) Events (abi/identity.h) and requests of the API: first the word is set, then wake_fd is written; the wait reads wake_fd
 * (and so clears it) before it reads the words.
 */
#ifndef VMM_DEVICES_H
#define VMM_DEVICES_H

#include "abi/boot.h"
#include "vmm/brief.h"
#include "vmm/virtio/console.h"
#include "vmm/virtio/net.h"

#include <pthread.h>

struct bus;
struct err;
struct kvm;
struct loop;
struct loop_io;

#define DEVICES_MAX UIG_DEVICES_MAX

struct device_watch {
	struct devices *devices;
	struct virtio_dev *dev;
	struct loop_io *kick, *source;
	bool armed; /* the source; under lock, or the owner's */
};

struct devices {
	pthread_mutex_t lock;
	bool vcpu_owns; /* under lock; see above */
	bool frozen;    /* under lock; paused or not started: the device loop serves nothing */
	bool brought; /* under lock, or the owner's: something came for the guest (vmm/upcall.h) */
	bool rests;   /* vCPU thread: waits are rare and long */
	bool looked_at; /* under lock; devices_look() is called every few milliseconds while the guest runs */
	struct virtio_dev *dev[DEVICES_MAX]; /* owned: devices_fini() calls ops->fini */
	bool standard; /* interrupts and addresses of vmm/arch/x86_64/boot_std.h; else none, and abi/layout.h */
	struct device_watch watch[DEVICES_MAX];
	unsigned ndev, nattached;
	struct net_dev net; /* virtio.ops is NULL without a network */
	struct console_dev console;

	int wake_fd;            /* owned eventfd: ends a ppoll() of the vCPU thread early */
	const uint32_t *events; /* of the identity page, in guest memory; NULL: none */
	uint64_t tsc_khz;
	struct brief brief; /* of waits; vCPU thread */

	struct loop *loop;                         /* borrowed; the device loop */
	uint64_t waits, wait_sleeps, loop_wakeups; /* vCPU thread, vCPU thread, device loop */
};

int devices_init(struct devices *d, struct loop *loop, struct err *err);
/* After the vCPU thread has ended. */
void devices_fini(struct devices *d);

/* Adding a device: before the guest runs, so for a prepared shell too (vmm/machine.h). dev is taken, also on failure; its base is
 * devices_next_base(). */
gpa_t devices_next_base(const struct devices *d);
int devices_add(struct devices *d, struct virtio_dev *dev, struct err *err);

/* Makes the console; the network interface (tap_fd is taken in any case). */
int devices_add_console(
	struct devices *d, int fd, uint64_t max_bytes, const struct mem *mem, struct err *err);
int devices_add_net(struct devices *d, int tap_fd, const uint8_t mac[6], uint16_t mtu,
	const struct mem *mem, struct err *err);

/* Puts devices that were added since the last call on the bus, their kicks into KVM and into the loop. After the memory slots. */
int devices_attach(struct devices *d, struct kvm *kvm, struct bus *bus, struct err *err);

/* Sets all devices up with rings in UIG_GPA_RINGS (zeroed) and describes them; returns their number or -errno. */
int devices_prepare(struct devices *d, struct uig_device *out, struct err *err);

/* Device loop: stop and go on serving (start, pause, resume). After a pause, devices_kick() makes good for the kicks that
 * came while nobody served. */
void devices_freeze(struct devices *d, bool frozen);
void devices_kick(struct devices *d);

/*
 * The guest wrote `deadline` to WAIT (vCPU thread). Returns 0 when the guest goes on, -EINTR when the vCPU thread was
 * asked for something (*request became non-zero): the wait is not over then and has to be called again.
 */
int devices_wait(struct devices *d, uint64_t deadline, const int *request);

/* Time until the TSC reaches deadline, rounded up, an hour at most: 0 when it has, -1 when it never will. */
int64_t devices_ns_until(const struct devices *d, uint64_t deadline);

/* Device loop, after the vCPU thread has ended: the last of what the guest wanted to send. */
void devices_drain(struct devices *d);

/* Device loop, now and then while the guest runs: what it has queued and not told of. */
void devices_look(struct devices *d);

/* Ends a ppoll() of devices_wait() so that it looks at its words again. Any thread. */
void devices_wake(struct devices *d);

#endif
