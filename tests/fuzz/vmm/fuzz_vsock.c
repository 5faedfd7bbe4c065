/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver of the socket device, between programs of the host: each turn of the input is what the driver writes into rings,
 * descriptors and packets, and what programs of the host do (connect, greet, send, close). A server listens on port 1 and gives back
 * connections as they come. What is counted must stay within its limits, and with the device all connections are gone.
 */
#include "lib/log.h"
#include "vmm/dev/uds.h"
#include "vmm/mem.h"
#include "vmm/virtio/vsock_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RAM_BYTES  0x8000u
#define RINGS      0x400u /* of a turn: rx at 0, tx behind it */
#define PACKETS    0x400u /* 64 packets would fit, of 64 bytes each */
#define HOST_BYTES 16u
#define TURN_BYTES (RINGS + PACKETS + HOST_BYTES)
#define SIZE       8u
#define TURNS_MAX  6u
#define CLIENTS    4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	char folder[32], path[64];
	int listen_fd, folder_fd, server_fd;
	const char *name;
} host = {.listen_fd = -1};

static void clear_up(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s_1", host.path);
	unlink(path);
	unlink(host.path);
	rmdir(host.folder);
}

static void make_host(void)
{
	char path[80];

	signal(SIGPIPE, SIG_IGN); /* as uvmm does */
	strcpy(host.folder, "/tmp/fuzz-vsock-XXXXXX");
	if (!mkdtemp(host.folder))
		abort();
	snprintf(host.path, sizeof(host.path), "%s/v", host.folder);
	snprintf(path, sizeof(path), "%s_1", host.path);
	host.listen_fd = uds_listen(host.path, NULL);
	host.folder_fd = uds_folder(host.path, &host.name, NULL);
	host.server_fd = uds_listen(path, NULL);
	if (host.listen_fd < 0 || host.folder_fd < 0 || host.server_fd < 0)
		abort();
	atexit(clear_up);
}

static struct vsock_dev *open_device(const struct mem *mem, unsigned kind)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct vsock_setup setup = {.cid = 3,
		.name = host.name,
		.listen_fd = host.listen_fd,
		.folder_fd = host.folder_fd};
	struct virtio_dev *dev;

	if (vsock_dev_new(&setup, mem, &lock, 0, &dev, NULL) < 0)
		abort();
	for (unsigned q = 0; q < 2; q++) {
		dev->queue[q] = (struct virtqueue){.size = SIZE,
			.desc = 0x1000 + q * 0x200,
			.avail = 0x1080 + q * 0x200,
			.used = 0x10c0 + q * 0x200};
		if (virtqueue_start(&dev->queue[q], mem, kind & 1) < 0)
			abort();
	}
	dev->status = VIRTIO_STATUS_DRIVER_OK;
	return (struct vsock_dev *)(void *)dev;
}

static int connect_to_device(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, host.path, sizeof(host.path));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void act(int *client, const uint8_t what[HOST_BYTES])
{
	int *fd = &client[what[0] % CLIENTS];
	int served = accept4(host.server_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char buf[256];

	if (*fd < 0)
		*fd = connect_to_device();
	if (*fd >= 0) {
		if (what[1] & 1)
			(void)!write(*fd, "CONNECT 1\n", 10);
		if (what[1] & 2)
			(void)!write(*fd, what + 3, what[2] % (HOST_BYTES - 3));
		if (what[1] & 4)
			(void)!read(*fd, buf, sizeof(buf));
		if (what[1] & 8)
			shutdown(*fd, what[2] % 3);
		if (what[1] & 16) {
			close(*fd);
			*fd = -1;
		}
	}
	if (served >= 0) {
		(void)!write(served, what, what[2] % HOST_BYTES);
		close(served);
	}
}

static void check(const struct vsock_dev *v)
{
	const struct vsock_conn *c;
	unsigned n = 0;

	TAILQ_FOREACH(c, &v->all, all)
	{
		n++;
		if (c->buf_len > VSOCK_BUF_BYTES || (c->buf_len > 0 && !c->buf))
			abort();
	}
	if (n != v->nconns || n > VSOCK_CONNS_MAX || v->nreplies > VSOCK_REPLIES_MAX ||
		v->ndials > VSOCK_CONNS_MAX)
		abort();
}

static void turn(struct vsock_dev *v, uint8_t *ram, int *client, const uint8_t *data, size_t size)
{
	uint8_t what[HOST_BYTES] = {0};
	size_t n = size < RINGS + PACKETS ? size : RINGS + PACKETS;

	memcpy(ram, data, n);
	if (size > n)
		memcpy(what, data + n, size - n < HOST_BYTES ? size - n : HOST_BYTES);
	act(client, what);
	for (unsigned i = 0; i < 4 && virtio_serve(&v->virtio, 8); i++)
		check(v);
	io_thread_settle(&v->dialer);
	virtio_serve(&v->virtio, 8);
	check(v);
	if (what[1] & 32)
		v->virtio.ops->settle(&v->virtio);
	if (what[1] & 64) {
		v->virtio.ops->reset(&v->virtio);
		v->virtio.dead = false;
	}
	virtio_has_news(&v->virtio);
	virtio_told(&v->virtio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int client[CLIENTS] = {-1, -1, -1, -1}, left;
	struct vsock_dev *v;
	struct mem mem;
	uint8_t *ram = malloc(RAM_BYTES); /* the sanitizer knows where this ends */

	log_init("fuzz", LOG_ERROR);
	if (host.listen_fd < 0)
		make_host();
	if (!ram || size < 2)
		goto out;
	mem_init(&mem);
	memset(ram, 0, RAM_BYTES);
	mem_add(&mem, 0x1000, RAM_BYTES, ram, true);
	v = open_device(&mem, *data++);
	size--;
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		size_t n = size < TURN_BYTES ? size : TURN_BYTES;

		turn(v, ram, client, data, n);
		data += n;
		size -= n;
		if (size == 0)
			break;
	}
	v->virtio.ops->fini(&v->virtio);
	mem_fini(&mem);
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (client[i] >= 0)
			close(client[i]);
	}
	while ((left = accept4(host.server_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(left);
	while ((left = accept4(host.listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(left);
out:
	free(ram);
	return 0;
}
