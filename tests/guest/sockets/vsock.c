/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_VSOCK without a host: what is refused, options, and connections of the instance to itself. Not run on Linux, where most machines
 * have no loopback for it; what it says of sockets that are not connected is what Linux 6.18 says.
 */
#include "tests/guest/sock.h"

#include <linux/vm_sockets.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#define BIG (3u << 20)

static struct sockaddr_vm at(unsigned cid, unsigned port)
{
	return (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
}

static int new_socket(int flags)
{
	int fd = socket(AF_VSOCK, SOCK_STREAM | flags, 0);

	NEED(fd >= 0);
	return fd;
}

static int ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	poll(&p, 1, 0);
	return p.revents;
}

static void refused(void)
{
	struct sockaddr_vm any = at(VMADDR_CID_ANY, VMADDR_PORT_ANY), a = at(VMADDR_CID_ANY, 5);
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	int s = new_socket(0), t = new_socket(0), p[2];
	char c;

	SHOW(socket(AF_VSOCK, SOCK_DGRAM, 0));
	SHOW(socket(AF_VSOCK, SOCK_RAW, 0));
	SHOW(socket(AF_VSOCK, SOCK_STREAM, 1));
	SHOW(socketpair(AF_VSOCK, SOCK_STREAM, 0, p));
	SHOW(ready(s) == POLLOUT);
	SHOW(listen(s, 1));
	SHOW(accept(s, NULL, NULL));
	SHOW(recv(s, &c, 1, 0));
	SHOW(send(s, &c, 1, MSG_NOSIGNAL));
	SHOW(send(s, &c, 1, MSG_OOB));
	SHOW(sendto(s, &c, 1, 0, SA(&a), sizeof(a)));
	SHOW(shutdown(s, SHUT_RDWR));
	SHOW(getpeername(s, SA(&a), &len));
	SHOW(getsockname(s, SA(&a), &len));
	ASK(len == sizeof(a) && a.svm_cid == VMADDR_CID_ANY && a.svm_port == VMADDR_PORT_ANY);
	a = at(77, 5000);
	SHOW(bind(s, SA(&a), sizeof(a)));
	SHOW(bind(s, SA(&in), sizeof(in)));
	SHOW(bind(s, SA(&a), sizeof(a) - 1));
	a = at(VMADDR_CID_ANY, 5);
	SHOW(bind(s, SA(&a), sizeof(a)));
	SHOW(bind(s, SA(&a), sizeof(a)));
	SHOW(bind(t, SA(&a), sizeof(a)));
	SHOW(bind(t, SA(&any), sizeof(any)));
	SHOW(getsockname(t, SA(&a), &len));
	ASK(a.svm_port >= 1024 && a.svm_port != VMADDR_PORT_ANY);
	a = at(VMADDR_CID_HOST, 5);
	SHOW(connect(t, SA(&a), sizeof(a)));
	SHOW(connect(t, SA(&a), 8));
	a = at(VMADDR_CID_LOCAL, 9);
	SHOW(connect(t, SA(&a), sizeof(a)));
	close(s);
	close(t);
}

static void options(void)
{
	int s = new_socket(0), small = 0;
	struct timeval tv = {1, 500000}, bad = {-1, 0};
	uint64_t v = 0;
	socklen_t len = sizeof(v), four = sizeof(small);

	SHOW(getsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &v, &len));
	say("%lu %u\n", (unsigned long)v, len);
	SHOW(getsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MIN_SIZE, &v, &len));
	say("%lu\n", (unsigned long)v);
	SHOW(getsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &small, &four));
	SHOW(getsockopt(s, AF_VSOCK, SO_VM_SOCKETS_PEER_HOST_VM_ID, &v, &len));
	SHOW(getsockopt(s, IPPROTO_TCP, 1, &v, &len));
	v = 1000000;
	SHOW(setsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &v, sizeof(v)));
	SHOW(getsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &v, &len));
	say("%lu: no more than the most\n", (unsigned long)v);
	v = 1000000;
	SHOW(setsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, &v, sizeof(v)));
	SHOW(setsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &v, sizeof(v)));
	SHOW(getsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &v, &len));
	say("%lu\n", (unsigned long)v);
	SHOW(setsockopt(s, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &v, 4));
	SHOW(setsockopt(s, AF_VSOCK, 99, &v, sizeof(v)));
	SHOW(setsockopt(s, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &tv, sizeof(tv)));
	SHOW(setsockopt(s, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &bad, sizeof(bad)));
	len = sizeof(tv);
	SHOW(getsockopt(s, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &tv, &len));
	say("%ld %ld\n", (long)tv.tv_sec, (long)tv.tv_usec);
	close(s);
}

static void device(void)
{
	int fd = open("/dev/vsock", O_RDWR);
	unsigned cid = 0;
	char c;

	NEED(fd >= 0);
	SHOW(ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid));
	ASK(cid == VMADDR_CID_LOCAL);
	SHOW(ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, BAD_PTR));
	SHOW(ioctl(fd, 0x7ba, &cid));
	SHOW(read(fd, &c, 1));
	SHOW(write(fd, &c, 1));
	close(fd);
}

static int listener_at(unsigned port)
{
	struct sockaddr_vm a = at(VMADDR_CID_ANY, port);
	int fd = new_socket(0);

	NEED(bind(fd, SA(&a), sizeof(a)) == 0 && listen(fd, 4) == 0);
	return fd;
}

static void pair(int fd[2], unsigned port)
{
	struct sockaddr_vm a = at(VMADDR_CID_LOCAL, port);
	int l = listener_at(port);

	fd[0] = new_socket(0);
	NEED(connect(fd[0], SA(&a), sizeof(a)) == 0);
	fd[1] = accept(l, NULL, NULL);
	NEED(fd[1] >= 0);
	close(l);
}

static void names(void)
{
	struct sockaddr_vm a = at(VMADDR_CID_LOCAL, 100), b = {0};
	socklen_t len = sizeof(b);
	int l = listener_at(100), c = new_socket(SOCK_NONBLOCK), s, error = -1;
	struct pollfd p = {.fd = c, .events = POLLOUT};

	SHOW(ready(l));
	SHOW(connect(c, SA(&a), sizeof(a)));
	SHOW(poll(&p, 1, 60000));
	len = sizeof(error);
	SHOW(getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &len));
	SHOW(error);
	SHOW(connect(c, SA(&a), sizeof(a)));
	SHOW(ready(l) == POLLIN);
	len = sizeof(b);
	s = accept4(l, SA(&b), &len, SOCK_NONBLOCK);
	NEED(s >= 0);
	ASK(b.svm_cid == VMADDR_CID_LOCAL && b.svm_port >= 1024 && len == sizeof(b));
	SHOW(getpeername(c, SA(&b), &len));
	ASK(b.svm_cid == VMADDR_CID_LOCAL && b.svm_port == 100);
	SHOW(getsockname(s, SA(&b), &len));
	ASK(b.svm_cid == VMADDR_CID_LOCAL && b.svm_port == 100);
	SHOW(ready(c) == POLLOUT);
	SHOW(recv(s, &error, 1, 0));
	close(l);
	close(c);
	close(s);
}

static void ends(void)
{
	char buf[16];
	int fd[2];

	pair(fd, 200);
	SHOW(send(fd[0], "hello", 5, 0));
	SHOW(recv(fd[1], buf, 2, MSG_PEEK));
	SHOW(recv(fd[1], buf, sizeof(buf), 0));
	SHOW(shutdown(fd[0], SHUT_WR));
	SHOW(recv(fd[1], buf, sizeof(buf), 0));
	SHOW(send(fd[0], "x", 1, MSG_NOSIGNAL));
	SHOW(send(fd[1], "back", 4, 0));
	SHOW(recv(fd[0], buf, 4, MSG_WAITALL));
	close(fd[1]);
	SHOW(recv(fd[0], buf, 4, 0));
	SHOW(ready(fd[0]) & (POLLIN | POLLHUP | POLLRDHUP));
	close(fd[0]);
	pair(fd, 200);
	SHOW(send(fd[0], "last", 4, 0));
	close(fd[0]);
	SHOW(recv(fd[1], buf, sizeof(buf), 0));
	SHOW(recv(fd[1], buf, sizeof(buf), 0));
	SHOW(send(fd[1], "x", 1, MSG_NOSIGNAL));
	close(fd[1]);
}

static void *writer(void *arg)
{
	int fd = *(int *)arg;
	unsigned char block[5000];

	for (unsigned at = 0; at < BIG;) {
		size_t n = BIG - at < sizeof(block) ? BIG - at : sizeof(block);

		for (size_t i = 0; i < n; i++)
			block[i] = (unsigned char)((at + i) * 13 >> 3);
		for (size_t done = 0; done < n;) {
			ssize_t w = write(fd, block + done, n - done);

			NEED(w > 0);
			done += (size_t)w;
		}
		at += (unsigned)n;
	}
	close(fd);
	return NULL;
}

/* More than any buffer holds, while the reader comes late. */
static void big(void)
{
	static unsigned char block[70000];
	unsigned got = 0, wrong = 0;
	pthread_t thread;
	ssize_t n;
	int fd[2], e = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};

	pair(fd, 300);
	NEED(pthread_create(&thread, NULL, writer, &fd[0]) == 0);
	NEED(epoll_ctl(e, EPOLL_CTL_ADD, fd[1], &event) == 0);
	while (epoll_wait(e, &event, 1, 60000) == 1 &&
		(n = read(fd[1], block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			wrong += block[i] != (unsigned char)((got + (unsigned)i) * 13 >> 3);
		got += (unsigned)n;
	}
	pthread_join(thread, NULL);
	say("%u bytes, %u wrong\n", got, wrong);
	close(fd[1]);
	close(e);
}

/* A queue that is full refuses, and what waits in it when it is closed ends. */
static void backlog(void)
{
	struct sockaddr_vm a = at(VMADDR_CID_LOCAL, 400);
	int l = new_socket(0), c[4];
	struct sockaddr_vm any = at(VMADDR_CID_ANY, 400);
	char x;

	NEED(bind(l, SA(&any), sizeof(any)) == 0 && listen(l, 1) == 0);
	for (unsigned i = 0; i < 4; i++) {
		c[i] = new_socket(0);
		SHOW(connect(c[i], SA(&a), sizeof(a)));
	}
	SHOW(close(l));
	SHOW(recv(c[0], &x, 1, 0));
	SHOW(connect(c[3], SA(&a), sizeof(a)));
	for (unsigned i = 0; i < 4; i++)
		close(c[i]);
}

int main(void)
{
	refused();
	options();
	device();
	names();
	ends();
	big();
	backlog();
	return 0;
}
