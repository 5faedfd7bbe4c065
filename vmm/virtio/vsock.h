/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-vsock: streams between sockets of the guest (AF_VSOCK) and Unix sockets of the host, as Firecracker has them. A program of the
 * host connects to the device's socket and writes "CONNECT PORT\n"; when the guest's program has accepted it reads "OK HOSTPORT\n", and
 * from then on the connection is the guest's. A guest that connects to port P of the host (CID 2) gets the Unix socket NAME_P
 * beside the device's own, NAME.
 *
 * Bytes wait in the kernel's socket, in one buffer of VSOCK_BUF_BYTES for each connection whose host program does not read, and in the
 * guest's memory: credit (section 5.10.6.3) keeps them within that both ways. Nothing else grows: connections, answers and
 * requests to connect are counted and limited.
 *
 * Files: vsock.c packets and rings, vsock_conn.c one connection, vsock_host.c what comes from the host: its connections, and the thread
 * that connects to NAME_P, the only one of the monitor that can make a socket (ARCHITECTURE.md).
 *
 * Threads: who serves the devices (vmm/devices.h). Specification: virtio 1.2, section 5.10.
 */
#ifndef VMM_VIRTIO_VSOCK_H
#define VMM_VIRTIO_VSOCK_H

#include "vmm/virtio/mmio.h"

#define VSOCK_CONNS_MAX 512u
#define VSOCK_BUF_BYTES (128u << 10)

struct vsock_setup {
	uint32_t cid;
	const char *name;         /* of the socket in its folder; copied */
	int listen_fd, folder_fd; /* borrowed */
};

/* A device, given back by ops->fini. 0 or -errno. */
int vsock_dev_new(const struct vsock_setup *setup, const struct mem *mem, pthread_mutex_t *lock,
	gpa_t base, struct virtio_dev **dev, struct err *err);

/* Connections that it has now, for tests. */
unsigned vsock_dev_count(const struct virtio_dev *dev);

#endif
