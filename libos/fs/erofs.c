/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS on disk. Superblock at byte 1024. Inode number n ("nid") lies at meta + 32 * n: 32 bytes (compact) or 64 (extended), then
 * extended attributes (skipped), then, by layout, the last part of the data or the chunk table. A directory is a row of blocks; each
 * begins with 12-byte entries (nid, offset of the name, type), the first name's offset tells how many; names follow, sorted over
 * the whole directory, so that a lookup is two binary searches.
 */
#include "libos/fs/erofs.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/uapi/fs.h"

#define BLOCK_BITS           12u
#define BLOCK_BYTES          4096u
#define SUPER_OFFSET         1024u
#define EROFS_MAGIC          0xe0f5e1e2u
#define FEATURE_ZERO_PADDING 1u
#define FEATURE_CHUNKED      4u
#define DIRENT_BYTES         12u
#define INODE_SLOT           32u
#define CHUNK_BITS_MASK      0x1fu
#define CHUNK_INDEXES        0x20u
#define ADDR_HOLE            0xffffffffu
#define SIZE_MAX_FILE                                                                              \
	(1ull << 40) /* no image is larger than 4 GiB; holes may make a file larger than it */

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* True when [off, off + n) lies in the image. */
static bool inside(const struct erofs *fs, uint64_t off, uint64_t n)
{
	return off <= fs->bytes && n <= fs->bytes - off;
}

int erofs_open(struct erofs *fs, const void *image, uint64_t bytes)
{
	const uint8_t *sb = (const uint8_t *)image + SUPER_OFFSET;
	uint64_t blocks;

	if (bytes < BLOCK_BYTES || le32(sb) != EROFS_MAGIC || sb[12] != BLOCK_BITS)
		return -EINVAL;
	if (le32(sb + 80) & ~(FEATURE_ZERO_PADDING | FEATURE_CHUNKED))
		return -EINVAL;
	blocks = le32(sb + 36);
	if (!blocks || blocks > bytes >> BLOCK_BITS)
		return -EINVAL;
	*fs = (struct erofs){
		.image = image,
		.bytes = blocks << BLOCK_BITS,
		.meta = (uint64_t)le32(sb + 40) << BLOCK_BITS,
		.root_nid = le16(sb + 14),
		.build_ns = le64(sb + 24) * 1000000000ull + le32(sb + 32),
		.inos = le64(sb + 16),
	};
	return inside(fs, fs->meta, INODE_SLOT) ? 0 : -EINVAL;
}

static void inode_compact(const struct erofs *fs, const uint8_t *p, struct erofs_inode *inode)
{
	inode->nlink = le16(p + 6);
	inode->size = le32(p + 8);
	inode->uid = le16(p + 24);
	inode->gid = le16(p + 26);
	inode->mtime_ns = fs->build_ns;
}

static void inode_extended(const uint8_t *p, struct erofs_inode *inode)
{
	inode->size = le64(p + 8);
	inode->uid = le32(p + 24);
	inode->gid = le32(p + 28);
	inode->mtime_ns = le64(p + 32) * 1000000000ull + le32(p + 40);
	inode->nlink = le32(p + 44);
}

/* The meaning of the four bytes at 16, by type and layout. at: what follows the attributes. */
static int inode_data(
	const struct erofs *fs, const uint8_t *p, uint64_t at, struct erofs_inode *inode)
{
	uint32_t u = le32(p + 16), type = inode->mode & S_IFMT;
	uint64_t whole;

	if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK) {
		inode->rdev = type == S_IFCHR || type == S_IFBLK ? u : 0;
		inode->size = 0;
		return 0;
	}
	if (inode->size > SIZE_MAX_FILE)
		return -EUCLEAN;
	switch (inode->layout) {
	case EROFS_FLAT_PLAIN:
		inode->data = (uint64_t)u << BLOCK_BITS;
		return !inode->size || inside(fs, inode->data, inode->size) ? 0 : -EUCLEAN;
	case EROFS_FLAT_INLINE:
		inode->data = (uint64_t)u << BLOCK_BITS;
		inode->tail = at;
		whole = inode->size & ~(uint64_t)(BLOCK_BYTES - 1);
		if (whole && !inside(fs, inode->data, whole))
			return -EUCLEAN;
		if ((at & (BLOCK_BYTES - 1)) + (inode->size - whole) > BLOCK_BYTES)
			return -EUCLEAN;
		return inside(fs, at, inode->size - whole) ? 0 : -EUCLEAN;
	case EROFS_CHUNKED:
		if (type != S_IFREG || (u & 0xffff & ~(CHUNK_BITS_MASK | CHUNK_INDEXES)))
			return -EUCLEAN;
		inode->chunk_bits = (uint8_t)(BLOCK_BITS + (u & CHUNK_BITS_MASK));
		inode->chunk_index = u & CHUNK_INDEXES;
		inode->data = inode->chunk_index ? (at + 7) & ~7ull : (at + 3) & ~3ull;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

int erofs_inode(const struct erofs *fs, uint64_t nid, struct erofs_inode *inode)
{
	uint64_t off, at;
	const uint8_t *p;
	uint16_t format, xattrs;

	if (nid > (fs->bytes - fs->meta) / INODE_SLOT)
		return -EUCLEAN;
	off = fs->meta + nid * INODE_SLOT;
	if (!inside(fs, off, INODE_SLOT))
		return -EUCLEAN;
	p = fs->image + off;
	format = le16(p);
	if ((format & 1) && !inside(fs, off, 2 * INODE_SLOT))
		return -EUCLEAN;
	*inode = (struct erofs_inode){.nid = nid, .mode = le16(p + 4), .layout = (format >> 1) & 7};
	if (format & 1)
		inode_extended(p, inode);
	else
		inode_compact(fs, p, inode);
	xattrs = le16(p + 2);
	at = off + ((format & 1) ? 2 * INODE_SLOT : INODE_SLOT) +
		(xattrs ? 12u + (xattrs - 1u) * 4u : 0);
	return inode_data(fs, p, at, inode);
}

static int chunk_data(const struct erofs *fs, const struct erofs_inode *inode, uint64_t off,
	const uint8_t **data, uint64_t *n)
{
	uint64_t chunk = off >> inode->chunk_bits, in = off & ((1ull << inode->chunk_bits) - 1);
	unsigned entry = inode->chunk_index ? 8 : 4;
	uint64_t at = inode->data + chunk * entry;
	uint64_t left = (1ull << inode->chunk_bits) - in;
	const uint8_t *p;
	uint32_t block;

	if (!inside(fs, at, entry))
		return -EUCLEAN;
	p = fs->image + at;
	if (inode->chunk_index && le16(p + 2)) /* another device */
		return -EOPNOTSUPP;
	block = inode->chunk_index ? le32(p + 4) : le32(p);
	if (left > inode->size - off)
		left = inode->size - off;
	*n = left;
	*data = NULL;
	if (block == ADDR_HOLE)
		return 0;
	at = ((uint64_t)block << BLOCK_BITS) + in;
	if (!inside(fs, at, left))
		return -EUCLEAN;
	*data = fs->image + at;
	return 0;
}

int erofs_data(const struct erofs *fs, const struct erofs_inode *inode, uint64_t off,
	const uint8_t **data, uint64_t *n)
{
	uint64_t whole = inode->size & ~(uint64_t)(BLOCK_BYTES - 1);

	if (off >= inode->size)
		return -EINVAL;
	if (inode->layout == EROFS_CHUNKED)
		return chunk_data(fs, inode, off, data, n);
	if (inode->layout == EROFS_FLAT_INLINE && off >= whole) {
		*data = fs->image + inode->tail + (off - whole);
		*n = inode->size - off;
		return 0;
	}
	*data = fs->image + inode->data + off;
	*n = (inode->layout == EROFS_FLAT_INLINE ? whole : inode->size) - off;
	return 0;
}

/* ---- directories */
struct dir_block {
	const uint8_t *p;
	unsigned bytes;
	unsigned count; /* entries */
};

static int block_get(
	const struct erofs *fs, const struct erofs_inode *dir, uint64_t index, struct dir_block *b)
{
	uint64_t off = index << BLOCK_BITS, n;
	unsigned first;
	int rc = erofs_data(fs, dir, off, &b->p, &n);

	if (rc < 0)
		return rc;
	if (n > dir->size - off)
		n = dir->size - off;
	b->bytes = n > BLOCK_BYTES ? BLOCK_BYTES : (unsigned)n;
	if (!b->p || b->bytes < DIRENT_BYTES)
		return -EUCLEAN;
	first = le16(b->p + 8);
	if (first < DIRENT_BYTES || first % DIRENT_BYTES || first > b->bytes)
		return -EUCLEAN;
	b->count = first / DIRENT_BYTES;
	return 0;
}

static int block_entry(const struct dir_block *b, unsigned i, struct erofs_entry *e)
{
	static const uint8_t types[] = {
		DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK};
	const uint8_t *p = b->p + i * DIRENT_BYTES;
	unsigned at = le16(p + 8), end = i + 1 < b->count ? le16(p + DIRENT_BYTES + 8) : b->bytes;

	if (at < b->count * DIRENT_BYTES || end > b->bytes || at >= end)
		return -EUCLEAN;
	e->name = (const char *)b->p + at;
	e->len = (unsigned)strnlen(e->name, end - at);
	if (!e->len || e->len > NAME_MAX || memchr(e->name, '/', e->len))
		return -EUCLEAN;
	e->nid = le64(p);
	e->type = p[10] < sizeof(types) ? types[p[10]] : DT_UNKNOWN;
	return 0;
}

static int name_cmp(const char *a, unsigned alen, const char *b, unsigned blen)
{
	int c = memcmp(a, b, alen < blen ? alen : blen);

	return c ? c : (alen > blen) - (alen < blen);
}

static uint64_t block_count(const struct erofs_inode *dir)
{
	return (dir->size + BLOCK_BYTES - 1) >> BLOCK_BITS;
}

/* The block that can hold the name: the last one whose first name is not above it. */
static int block_search(const struct erofs *fs, const struct erofs_inode *dir, const char *name,
	unsigned len, struct dir_block *b)
{
	uint64_t lo = 0, hi = block_count(dir);
	struct erofs_entry e;
	int rc;

	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		rc = block_get(fs, dir, mid, b);
		if (!rc)
			rc = block_entry(b, 0, &e);
		if (rc < 0)
			return rc;
		if (name_cmp(e.name, e.len, name, len) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return block_get(fs, dir, lo, b);
}

int erofs_lookup(const struct erofs *fs, const struct erofs_inode *dir, const char *name,
	unsigned len, uint64_t *nid)
{
	unsigned lo = 0, hi;
	struct erofs_entry e;
	struct dir_block b;
	int rc;

	if ((dir->mode & S_IFMT) != S_IFDIR)
		return -ENOTDIR;
	if (!dir->size)
		return -ENOENT;
	rc = block_search(fs, dir, name, len, &b);
	if (rc < 0)
		return rc;
	hi = b.count;
	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		int c;

		rc = block_entry(&b, mid, &e);
		if (rc < 0)
			return rc;
		c = name_cmp(e.name, e.len, name, len);
		if (!c) {
			*nid = e.nid;
			return 0;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -ENOENT;
}

static bool is_dots(const struct erofs_entry *e)
{
	return e->name[0] == '.' && (e->len == 1 || (e->len == 2 && e->name[1] == '.'));
}

/* A position is block number * 4096 + index in the block. */
int erofs_readdir(const struct erofs *fs, const struct erofs_inode *dir, uint64_t pos,
	struct erofs_entry *entry)
{
	uint64_t block = pos >> BLOCK_BITS;
	unsigned i = pos & (BLOCK_BYTES - 1);

	for (; block < block_count(dir); block++, i = 0) {
		struct dir_block b;
		int rc = block_get(fs, dir, block, &b);

		if (rc < 0)
			return rc;
		for (; i < b.count; i++) {
			rc = block_entry(&b, i, entry);
			if (rc < 0)
				return rc;
			entry->next = (block << BLOCK_BITS) + i + 1;
			if (!is_dots(entry))
				return 1;
		}
	}
	return 0;
}
