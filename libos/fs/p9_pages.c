/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapped pages of volume files. A frame is filled by a read that is answered in the order of all answers; a write of the same file
 * puts its data into frames that are there at its own answer. So a frame never keeps what a later write has replaced, without
 * a lock and whichever thread runs first.
 */
#include "libos/fs/p9fs.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"

#define WINDOW P9_PIECES_MAX /* pages that one fault brings in */

static struct p9_open *open_of(const struct file *f)
{
	return f->priv;
}

static uint64_t pages_of(uint64_t bytes)
{
	return page_round_up(bytes) / PAGE_BYTES;
}

void p9_pages_drop(struct p9_inode *pi, uint64_t from)
{
	if (!pi->npages)
		return;
	vm_unmap_file(&pi->vfs, from, UINT64_MAX / PAGE_BYTES - from);
	pagemap_drop(&pi->dirty, from, UINT64_MAX);
	pi->npages -= pagemap_drop(&pi->pages, from, UINT64_MAX);
}

void p9_pages_update(
	struct p9_inode *pi, uint64_t off, const struct vq_buf *piece, unsigned n, uint64_t bytes)
{
	for (unsigned i = 0; i < n && pi->npages && bytes; i++) {
		const char *from = piece[i].ptr;
		uint64_t left = piece[i].len < bytes ? piece[i].len : bytes;

		bytes -= left;
		while (left) {
			uint64_t in = off & PAGE_MASK, part = PAGE_BYTES - in;
			char *frame = pagemap_get(&pi->pages, off / PAGE_BYTES);

			if (part > left)
				part = left;
			if (frame)
				memcpy(frame + in, from, part);
			from += part;
			off += part;
			left -= part;
		}
	}
}

/* ---- filling */
/* In the order of answers: frames that hold data become the file's, others are given back. */
static void loaded(struct p9_call *c)
{
	struct p9_inode *pi = c->arg;
	uint32_t got = 0;

	if (!c->error) {
		uint32_t at = c->at;

		got = p9_get32(c);
		c->at = at;
	}
	for (unsigned i = 0; i < c->npieces; i++) {
		uint64_t pgoff = c->arg_off / PAGE_BYTES + i;
		void *frame = c->piece[i].ptr;

		if (i * PAGE_BYTES >= got || pagemap_get(&pi->pages, pgoff) ||
			pagemap_set(&pi->pages, pgoff, frame) < 0)
			page_put(frame);
		else
			pi->npages++;
	}
}

/* How many pages from pgoff on are to be asked for: not in memory, and in the file. */
static unsigned window(struct p9_inode *pi, uint64_t pgoff)
{
	uint64_t next = pi->npages ? pagemap_next(&pi->pages, pgoff) : UINT64_MAX;
	uint64_t end = pages_of(pi->vfs.size);

	if (next < end)
		end = next;
	return end - pgoff < WINDOW ? (unsigned)(end - pgoff) : WINDOW;
}

static int load(struct file *f, uint64_t pgoff)
{
	struct p9_inode *pi = p9_of(f->inode);
	struct p9_call *c = p9_begin(open_of(f)->client, P9_TREAD);
	unsigned want = window(pi, pgoff);
	int rc;

	if (!c)
		return -ENOMEM;
	for (unsigned i = 0; i < want; i++) {
		void *frame = page_alloc();

		if (!frame)
			break;
		p9_add_piece(c, frame, PAGE_BYTES);
	}
	if (!c->npieces) {
		p9_end(c);
		return -ENOMEM;
	}
	p9_put32(c, open_of(f)->fid);
	p9_put64(c, pgoff * PAGE_BYTES);
	p9_put32(c, c->npieces * (uint32_t)PAGE_BYTES);
	c->complete = loaded;
	c->arg = pi;
	c->arg_off = pgoff * PAGE_BYTES;
	rc = p9_run(c);
	p9_end(c);
	return rc;
}

/* From now on the frame may differ from the host's file, until it is written back. */
static int mark_dirty(struct file *f, uint64_t pgoff, void *frame)
{
	struct p9_inode *pi = p9_of(f->inode);
	int rc;

	if (pagemap_get(&pi->dirty, pgoff))
		return 0;
	rc = pagemap_set(&pi->dirty, pgoff, frame);
	if (rc < 0)
		return rc;
	page_get(frame);
	if (!pi->writer) {
		pi->writer = open_of(f);
		pi->writer->refs++;
		inode_get(&pi->vfs);
	}
	return 0;
}

static int bring_in(struct file *f, uint64_t pgoff, unsigned how, void **frame)
{
	struct p9_inode *pi = p9_of(f->inode);
	bool was = p9_alone;
	int rc = 0;

	if (how & GET_PAGE_CACHED)
		return -EAGAIN;
	p9_alone = p9_alone || !(how & GET_PAGE_BLOCK);
	if (pgoff >= pages_of(pi->vfs.size))
		rc = p9_refresh(pi);
	if (!rc && pgoff >= pages_of(pi->vfs.size))
		rc = -EIO;
	if (!rc)
		rc = load(f, pgoff);
	p9_alone = was;
	*frame = rc < 0 ? NULL : pagemap_get(&pi->pages, pgoff);
	return rc < 0 ? rc : *frame ? 0 : -EIO;
}

int p9_get_page(struct file *f, uint64_t pgoff, unsigned how, void **frame)
{
	struct p9_inode *pi = p9_of(f->inode);
	int rc = 0;

	*frame = pi->npages && pgoff < pages_of(pi->vfs.size) ? pagemap_get(&pi->pages, pgoff)
							      : NULL;
	if (!*frame)
		rc = bring_in(f, pgoff, how, frame);
	if (!rc && (how & GET_PAGE_SHARED) && (how & GET_PAGE_WRITE))
		rc = mark_dirty(f, pgoff, *frame);
	if (!rc)
		page_get(*frame);
	return rc;
}

/* ---- writing back */
/* Takes up to WINDOW dirty pages in a row out of the list, as pieces of c with a reference each; where they begin. */
static uint64_t take_dirty(struct p9_inode *pi, struct p9_call *c)
{
	uint64_t first = pagemap_next(&pi->dirty, 0), at = first;
	void *frame;

	while (c->npieces < WINDOW && (frame = pagemap_get(&pi->dirty, at))) {
		page_get(frame);
		p9_add_piece(c, frame, PAGE_BYTES);
		at++;
	}
	/* What is written from here on faults, and is dirty again. */
	vm_clean_file(&pi->vfs, first, at - first);
	pagemap_drop(&pi->dirty, first, at);
	return first;
}

/* Cuts the pieces at the file's end; bytes left. */
static uint32_t cut_pieces(struct p9_call *c, uint64_t off, uint64_t size)
{
	uint32_t total = 0;

	for (unsigned i = 0; i < c->npieces; i++) {
		uint64_t at = off + i * PAGE_BYTES;

		c->piece[i].len = at >= size     ? 0
			: size - at < PAGE_BYTES ? (uint32_t)(size - at)
						 : (uint32_t)PAGE_BYTES;
		total += c->piece[i].len;
	}
	while (c->npieces && !c->piece[c->npieces - 1].len)
		c->npieces--;
	return total;
}

static int write_run(struct p9_inode *pi, struct p9_open *writer)
{
	struct p9_call *c = p9_begin(writer->client, P9_TWRITE);
	void *frame[WINDOW];
	unsigned n;
	uint64_t off;
	uint32_t bytes;
	int rc = 0;

	if (!c)
		return -ENOMEM;
	c->to_device = true;
	off = take_dirty(pi, c) * PAGE_BYTES;
	n = c->npieces;
	for (unsigned i = 0; i < n; i++)
		frame[i] = c->piece[i].ptr;
	bytes = cut_pieces(c, off, pi->vfs.size);
	if (bytes) {
		p9_put32(c, writer->fid);
		p9_put64(c, off);
		p9_put32(c, bytes);
		rc = p9_run(c);
		if (!rc && p9_get32(c) != bytes)
			rc = -EIO;
	}
	p9_end(c);
	for (unsigned i = 0; i < n; i++)
		page_put(frame[i]);
	return rc;
}

int p9_writeback(struct p9_inode *pi)
{
	struct p9_open *writer = pi->writer;
	int error = 0;

	if (!writer)
		return 0;
	writer->refs++;
	while (pagemap_next(&pi->dirty, 0) != UINT64_MAX) {
		int rc = write_run(pi, writer);

		error = error ? error : rc;
		if (rc == -ENOMEM)
			break;
	}
	p9_open_put(writer);
	if (pi->writer == writer && pagemap_next(&pi->dirty, 0) == UINT64_MAX) {
		pi->writer = NULL;
		p9_open_put(writer);
		if (!pi->opens)
			p9_pages_drop(pi, 0);
		inode_put(&pi->vfs); /* mark_dirty()'s; the caller has one of its own */
	}
	return error;
}
