/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/p9/fid.h"

#include "abi/p9.h"
#include "vmm/p9/server_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned bucket_of(uint32_t id)
{
	return (id ^ id >> 8 ^ id >> 16) % P9_FID_BUCKETS;
}

struct p9_fid *p9_fid_find(const struct p9_fids *fids, uint32_t id)
{
	struct p9_fid *f = fids->bucket[bucket_of(id)];

	while (f && f->id != id)
		f = f->next;
	return f;
}

static int add(struct p9_fids *fids, uint32_t id, int path_fd, mode_t type)
{
	struct p9_fid *f, **b = &fids->bucket[bucket_of(id)];

	if (id == P9_NOFID || p9_fid_find(fids, id))
		return -EINVAL;
	if (fids->count == P9_FIDS_MAX)
		return -ENFILE;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct p9_fid){
		.id = id, .path_fd = path_fd, .io_fd = -1, .type = type, .dir_pos = -1, .next = *b};
	*b = f;
	fids->count++;
	return 0;
}

int p9_fid_add(struct p9_fids *fids, uint32_t id, int path_fd, mode_t type)
{
	int r = add(fids, id, path_fd, type);

	if (r < 0)
		close(path_fd);
	return r;
}

static void close_both(const struct p9_fid *f)
{
	close(f->path_fd);
	if (f->io_fd >= 0)
		close(f->io_fd);
	p9_xattr_free(f->xattr);
}

void p9_fid_replace(struct p9_fid *f, int path_fd, mode_t type)
{
	close_both(f);
	f->path_fd = path_fd;
	f->io_fd = -1;
	f->xattr = NULL;
	f->writable = f->synced = false;
	f->type = type;
	f->dir_pos = -1;
}

void p9_fid_remove(struct p9_fids *fids, struct p9_fid *f)
{
	struct p9_fid **at = &fids->bucket[bucket_of(f->id)];

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	fids->count--;
	close_both(f);
	free(f);
}

void p9_fids_clear(struct p9_fids *fids)
{
	for (unsigned i = 0; i < P9_FID_BUCKETS; i++) {
		while (fids->bucket[i])
			p9_fid_remove(fids, fids->bucket[i]);
	}
}
