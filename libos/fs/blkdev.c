/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block devices as files: /dev/vda and so on. There is no page cache: what is read comes from the device, what was written is the
 * host's when the call returns, and lasts after fsync. Any offset and length will do; parts of sectors are read, changed and written back,
 * and all writes of a device go one after the other, so that two that meet in a sector do not undo each other. With O_DIRECT parts of
 * sectors are refused, as on Linux.
 */
#include "libos/drv/virtio_blk.h"
#include "libos/fs/inode.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/sched/thread.h"

#define MAJOR       254u /* where Linux puts virtio-blk first */
#define MINORS      16u  /* of each disk: itself and its partitions */
#define SECTOR      VBLK_SECTOR_BYTES
#define CHUNK_PAGES 32u

#define BLKROSET         0x125du
#define BLKROGET         0x125eu
#define BLKRRPART        0x125fu
#define BLKGETSIZE       0x1260u
#define BLKFLSBUF        0x1261u
#define BLKSSZGET        0x1268u
#define BLKDISCARD       0x1277u
#define BLKIOMIN         0x1278u
#define BLKIOOPT         0x1279u
#define BLKALIGNOFF      0x127au
#define BLKPBSZGET       0x127bu
#define BLKDISCARDZEROES 0x127cu
#define BLKROTATIONAL    0x127eu
#define BLKZEROOUT       0x127fu
#define BLKBSZGET        0x80081270u
#define BLKGETSIZE64     0x80081272u

static struct {
	bool busy;
	struct waitq wait;
} writers[VBLK_MAX];

struct bounce {
	char *buf;
	uint32_t bytes;
	size_t pages;
};

static unsigned disk_of(const struct file *f)
{
	return dev_minor(f->inode->rdev) / MINORS;
}

/* As much room as there is, up to what the call needs. */
static int bounce_get(struct bounce *b, uint64_t bytes)
{
	uint64_t pages = (bytes + 2 * SECTOR + PAGE_BYTES - 1) / PAGE_BYTES;

	b->pages = pages < CHUNK_PAGES ? pages : CHUNK_PAGES;
	b->buf = page_alloc_run(b->pages);
	if (!b->buf) {
		b->pages = 1;
		b->buf = page_alloc_raw();
	}
	b->bytes = (uint32_t)(b->pages * PAGE_BYTES);
	return b->buf ? 0 : -ENOMEM;
}

static void bounce_put(struct bounce *b)
{
	page_free_run(b->buf, b->pages);
}

/* A step of a transfer: the sectors around [pos, pos + n), at most what the buffer holds. */
struct step {
	uint64_t from;      /* first byte of the sectors */
	uint32_t bytes;     /* of them */
	uint32_t skip, use; /* of the first sector; what the call wants */
};

static struct step step_at(const struct bounce *b, uint64_t pos, uint64_t left)
{
	struct step s = {.from = pos / SECTOR * SECTOR};
	uint64_t end;

	s.skip = (uint32_t)(pos - s.from);
	s.use = left < b->bytes - s.skip ? (uint32_t)left : b->bytes - s.skip;
	end = s.skip + s.use;
	s.bytes = (uint32_t)((end + SECTOR - 1) / SECTOR * SECTOR);
	return s;
}

static int check_direct(const struct file *f, uint64_t pos, uint64_t bytes)
{
	return (f->flags & O_DIRECT) && (pos % SECTOR || bytes % SECTOR) ? -EINVAL : 0;
}

static long blk_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	unsigned disk = disk_of(f);
	uint64_t size = vblk_bytes(disk), done = 0, want;
	struct bounce b;
	long rc = check_direct(f, *pos, it->left);

	if (rc < 0 || *pos >= size || !it->left)
		return rc;
	want = it->left < size - *pos ? it->left : size - *pos;
	rc = bounce_get(&b, want);
	while (rc >= 0 && done < want) {
		struct step s = step_at(&b, *pos, want - done);

		rc = vblk_transfer(disk, false, s.from, b.buf, s.bytes);
		if (rc < 0)
			break;
		rc = iter_put(it, b.buf + s.skip, s.use);
		if (rc < 0)
			break;
		done += (uint64_t)rc;
		*pos += (uint64_t)rc;
		if (rc < (long)s.use)
			break;
	}
	if (b.buf)
		bounce_put(&b);
	return done ? (long)done : rc;
}

static void writer_lock(unsigned disk)
{
	while (writers[disk].busy)
		waitq_wait_uninterruptible(&writers[disk].wait, TIME_FOREVER);
	writers[disk].busy = true;
}

static void writer_unlock(unsigned disk)
{
	writers[disk].busy = false;
	waitq_wake(&writers[disk].wait, 1);
}

/* Fetches the sectors that the step changes in part. */
static int read_edges(unsigned disk, const struct bounce *b, const struct step *s)
{
	uint32_t last = s->bytes - SECTOR;
	int rc = 0;

	if (s->skip)
		rc = vblk_transfer(disk, false, s->from, b->buf, SECTOR);
	if (rc == 0 && (s->skip + s->use) % SECTOR && (last || !s->skip))
		rc = vblk_transfer(disk, false, s->from + last, b->buf + last, SECTOR);
	return rc;
}

static long write_step(unsigned disk, struct bounce *b, const struct step *s, struct iter *it)
{
	long got, rc = read_edges(disk, b, s);

	if (rc < 0)
		return rc;
	got = iter_get(it, b->buf + s->skip, s->use);
	if (got <
		(long)s->use) /* a bad address behind good ones: what there is, in whole sectors only */
		return got < 0 ? got : -EFAULT;
	rc = vblk_transfer(disk, true, s->from, b->buf, s->bytes);
	return rc < 0 ? rc : got;
}

static int blk_sync(struct file *f, bool data_only)
{
	return vblk_flush(disk_of(f));
}

static long blk_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	unsigned disk = disk_of(f);
	uint64_t size = vblk_bytes(disk), done = 0, want = it->left;
	struct bounce b;
	long rc = check_direct(f, *pos, want);

	if (rc < 0 || !want)
		return rc;
	if (*pos >= size)
		return -ENOSPC;
	if (want > size - *pos)
		want = size - *pos;
	rc = bounce_get(&b, want);
	if (rc < 0)
		return rc;
	writer_lock(disk);
	while (rc >= 0 && done < want) {
		struct step s = step_at(&b, *pos, want - done);

		rc = write_step(disk, &b, &s, it);
		if (rc > 0) {
			done += (uint64_t)rc;
			*pos += (uint64_t)rc;
		}
	}
	writer_unlock(disk);
	bounce_put(&b);
	if (done && (f->flags & O_DSYNC) && blk_sync(f, true) < 0)
		return -EIO;
	return done ? (long)done : rc;
}

static long blk_seek(struct file *f, int64_t off, int whence)
{
	return file_seek_size(f, off, whence, vblk_bytes(disk_of(f)));
}

static long zero_out(unsigned disk, uint64_t from, uint64_t bytes)
{
	struct bounce b;
	long rc = bounce_get(&b, bytes);

	if (rc < 0)
		return rc;
	memset(b.buf, 0, b.bytes);
	while (rc == 0 && bytes) {
		uint32_t n = bytes < b.bytes ? (uint32_t)bytes : b.bytes;

		rc = vblk_transfer(disk, true, from, b.buf, n);
		from += n;
		bytes -= n;
	}
	bounce_put(&b);
	return rc;
}

static long blk_clear(struct file *f, uptr_t arg, bool discard)
{
	unsigned disk = disk_of(f);
	uint64_t range[2];
	long rc;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (get_user(&range, arg))
		return -EFAULT;
	if (range[0] % SECTOR || range[1] % SECTOR || range[0] > vblk_bytes(disk) ||
		range[1] > vblk_bytes(disk) - range[0])
		return -EINVAL;
	writer_lock(disk);
	rc = vblk_clear(disk, range[0], range[1], discard);
	if (rc == -EOPNOTSUPP && !discard)
		rc = zero_out(disk, range[0], range[1]);
	writer_unlock(disk);
	return rc;
}

static long answer(uptr_t arg, const void *value, size_t n)
{
	return copy_to_user(arg, value, n);
}

static long blk_ioctl(struct file *f, unsigned cmd, uptr_t arg)
{
	unsigned disk = disk_of(f);
	uint64_t bytes = vblk_bytes(disk), sectors = bytes / SECTOR;
	uint32_t value = 0;

	switch (cmd) {
	case BLKGETSIZE64:
		return answer(arg, &bytes, sizeof(bytes));
	case BLKGETSIZE:
		return answer(arg, &sectors, sizeof(sectors));
	case BLKSSZGET:
	case BLKPBSZGET:
	case BLKIOMIN:
		value = SECTOR;
		return answer(arg, &value, sizeof(value));
	case BLKBSZGET:
		value = PAGE_BYTES;
		return answer(arg, &value, sizeof(value));
	case BLKROGET:
		value = vblk_read_only(disk);
		return answer(arg, &value, sizeof(value));
	case BLKIOOPT:
	case BLKALIGNOFF:
	case BLKDISCARDZEROES:
		return answer(arg, &value, sizeof(value));
	case BLKROTATIONAL:
		return answer(arg, &value, sizeof(uint16_t));
	case BLKFLSBUF:
		return vblk_flush(disk);
	case BLKDISCARD:
		return blk_clear(f, arg, true);
	case BLKZEROOUT:
		return blk_clear(f, arg, false);
	case BLKROSET:
		return -EACCES;
	case BLKRRPART:
		return -EINVAL; /* partitions are not looked for */
	default:
		return -ENOTTY;
	}
}

static const struct file_ops blk_ops = {
	.name = "block",
	.read = blk_read,
	.write = blk_write,
	.ioctl = blk_ioctl,
	.seek = blk_seek,
	.sync = blk_sync,
};

int blkdev_open(struct inode *inode, struct file *f)
{
	uint32_t minor = dev_minor(inode->rdev);

	if (dev_major(inode->rdev) != MAJOR || minor % MINORS || minor / MINORS >= vblk_count())
		return -ENXIO;
	if ((f->flags & O_ACCMODE) != O_RDONLY && vblk_read_only(minor / MINORS))
		return -EACCES;
	f->ops = &blk_ops;
	return 0;
}

bool blkdev_node(unsigned n, char name[4], uint64_t *rdev)
{
	if (n >= vblk_count())
		return false;
	waitq_init(&writers[n].wait);
	memcpy(name, "vda", 4);
	name[2] = (char)('a' + n);
	*rdev = dev_make(MAJOR, n * MINORS);
	return true;
}
