/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Character devices and the console. /dev is a tmpfs with nodes in it, so that programs can add names (sockets, links). The
 * console takes output and has no input: reading it is the end of file; it is no terminal (TCGETS: ENOTTY), so stdio buffers.
 */
#include "libos/drv/console.h"
#include "libos/drv/virtio_vsock.h"
#include "libos/fs/fd.h"
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/klib/random.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"
#include "libos/sys/syscall.h"
#include "libos/uapi/socket.h"

/* ---- null, zero, full */
static long null_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	return 0;
}

static long null_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	return (long)it->left;
}

static long zero_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	return iter_zero(it, it->left);
}

static long full_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	return -ENOSPC;
}

static int no_sync(struct file *f, bool data_only)
{
	return -EINVAL;
}

static int zero_page(struct file *f, uint64_t pgoff, unsigned how, void **frame)
{
	*frame = page_alloc();
	return *frame ? 0 : -ENOMEM;
}

static const struct file_ops null_ops = {.name = "null",
	.read = null_read,
	.write = null_write,
	.seek = file_seek_none,
	.sync = no_sync};
static const struct file_ops zero_ops = {.name = "zero",
	.read = zero_read,
	.write = null_write,
	.seek = file_seek_none,
	.sync = no_sync,
	.get_page = zero_page};
static const struct file_ops full_ops = {.name = "full",
	.read = zero_read,
	.write = full_write,
	.seek = file_seek_none,
	.sync = no_sync};

/* ---- random */
static long random_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	uint64_t done = 0;
	uint8_t buf[256];

	while (it->left) {
		size_t n = it->left < sizeof(buf) ? it->left : sizeof(buf);
		long got;

		random_bytes(buf, n);
		got = iter_put(it, buf, n);
		if (got < 0)
			return done ? (long)done : got;
		done += (uint64_t)got;
	}
	return (long)done;
}

/* What is written is mixed in. */
static long random_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	uint8_t buf[256];
	uint64_t done = 0;

	while (it->left) {
		long got = iter_get(it, buf, sizeof(buf));

		if (got < 0)
			return done ? (long)done : got;
		random_seed(buf, (size_t)got);
		done += (uint64_t)got;
	}
	return (long)done;
}

static const struct file_ops random_ops = {.name = "random",
	.read = random_read,
	.write = random_write,
	.seek = file_seek_none,
	.sync = no_sync};

/* ---- console */
static long console_file_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	uint64_t done = 0;
	char buf[1024];

	while (it->left) {
		long got = iter_get(it, buf, sizeof(buf));

		if (got < 0)
			return done ? (long)done : got;
		console_write(buf, (size_t)got);
		done += (uint64_t)got;
	}
	return (long)done;
}

static struct pollable console_pollable = {LIST_INIT(console_pollable.watchers)};

static struct pollable *console_get_pollable(struct file *f)
{
	return &console_pollable;
}

static const struct file_ops console_ops = {
	.name = "console",
	.read = null_read,
	.write = console_file_write,
	.pollable = console_get_pollable,
	.sync = no_sync,
};

/* ---- vsock */
static long vsock_ioctl(struct file *f, unsigned cmd, uptr_t arg)
{
	uint32_t cid = vvsock_cid() ? vvsock_cid() : VMADDR_CID_LOCAL;

	return cmd == IOCTL_VM_SOCKETS_GET_LOCAL_CID ? put_user(arg, &cid) : -ENOTTY;
}

static long no_transfer(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	return -EINVAL;
}

static const struct file_ops vsock_ops = {
	.name = "vsock",
	.read = no_transfer,
	.write = no_transfer,
	.ioctl = vsock_ioctl,
	.seek = file_seek_none,
	.sync = no_sync,
};

/* ---- the nodes */
static const struct {
	const char *name;
	uint16_t major, minor;
	const struct file_ops *ops;
} devices[] = {
	{"null", 1, 3, &null_ops}, {"zero", 1, 5, &zero_ops}, {"full", 1, 7, &full_ops},
	{"random", 1, 8, &random_ops}, {"urandom", 1, 9, &random_ops},
	{"tty", 5, 0, NULL}, /* there is no controlling terminal: ENXIO */
	{"console", 5, 1, &console_ops},
	{"vsock", 10, 121, &vsock_ops}, /* any minor number: Linux takes one that is free */
};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static const struct {
	const char *name, *to;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

int chrdev_open(struct inode *inode, struct file *f)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		if (inode->rdev != dev_make(devices[i].major, devices[i].minor) || !devices[i].ops)
			continue;
		f->ops = devices[i].ops;
		return 0;
	}
	return -ENXIO;
}

static int node_add(
	struct super *sb, const char *name, uint32_t mode, uint64_t rdev, const char *link)
{
	struct dentry *d;
	int rc = sb->root->inode->ops->create(
		sb->root, name, (unsigned)strlen(name), mode, rdev, link, &d);

	if (!rc)
		dentry_put(d);
	return rc;
}

int devfs_new(struct super **sb)
{
	int rc = memfs_new("devtmpfs", NULL, 0, page_total() / 2, sb);
	uint64_t rdev;
	char name[4];

	for (unsigned i = 0; i < DEVICES && !rc; i++)
		rc = node_add(*sb, devices[i].name, S_IFCHR | 0666,
			dev_make(devices[i].major, devices[i].minor), NULL);
	for (unsigned i = 0; !rc && blkdev_node(i, name, &rdev); i++)
		rc = node_add(*sb, name, S_IFBLK | 0660, rdev, NULL);
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]) && !rc; i++)
		rc = node_add(*sb, links[i].name, S_IFLNK | 0777, 0, links[i].to);
	if (!rc)
		rc = node_add(*sb, "shm", S_IFDIR | 01777, 0, NULL);
	if (!rc)
		rc = node_add(*sb, "pts", S_IFDIR | 0755, 0, NULL);
	return rc;
}

int vfs_stdio(void)
{
	struct file *f;
	int rc = vfs_open("/dev/console", O_RDWR, 0, &f);

	for (int fd = 0; fd < 3 && rc >= 0; fd++) {
		rc = fd_install(file_get(f), false);
		if (rc < 0)
			file_put(f);
	}
	if (rc >= 0)
		file_put(f);
	vfs_program_runs = true;
	return rc < 0 ? rc : 0;
}
