/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory of System V: shmget(2), shmat(2), shmdt(2), shmctl(2). A segment is a nameless file of the tmpfs that memfd_create(2) uses;
 * each attachment maps it through an open file of its own, whose last reference goes with the last page that is mapped. How often a segment is
 * attached is counted when somebody asks, from the areas of the address space: as on Linux, one that was split counts twice.
 *
 *   shmget --> in the table --IPC_RMID, attached--> SHM_DEST --last attachment--> freed
 *                     \--IPC_RMID, not attached--> freed
 */
#include "libos/fs/memfs.h"
#include "libos/fs/tablefs.h"
#include "libos/ipc/ids.h"
#include "libos/ipc/proc.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sys/cred.h"
#include "libos/sys/syscall.h"
#include "libos/sys/sysctl.h"

#define SHMMNI ((uint64_t)sysctl_value[SYSCTL_SHMMNI])
#define SHMALL (UINT64_MAX - (1ull << 24)) /* pages; bytes of one segment as well */

struct segment {
	struct ipc_object ipc;
	struct dentry *dentry; /* of the nameless file */
	uint64_t bytes;
	int64_t atime, dtime;
	int lpid;
	unsigned views; /* open files, one an attachment */
};

static const struct ipc_kind kind;
static struct ipc_ids ids = {.kind = &kind,
	.max = &sysctl_value[SYSCTL_SHMMNI],
	.next_id = &sysctl_value[SYSCTL_SHM_NEXT_ID],
	.last = -1};

static struct segment *segment_of(struct ipc_object *o)
{
	return container_of(o, struct segment, ipc);
}

static void segment_free(struct ipc_object *o)
{
	struct segment *s = segment_of(o);

	dentry_put(s->dentry);
	kfree(s);
}

/* ---- the open file behind an attachment */
static int view_get_page(struct file *f, uint64_t pgoff, unsigned how, void **frame)
{
	return memfs_file_ops.get_page(f, pgoff, how, frame);
}

static void view_release(struct file *f)
{
	struct segment *s = f->priv;

	s->dtime = ipc_now();
	s->lpid = IPC_PID;
	if (!--s->views && s->ipc.perm.mode & SHM_DEST)
		ipc_remove(&ids, &s->ipc);
	ipc_put(&ids, &s->ipc);
}

static const struct file_ops view_ops = {
	.name = "shm",
	.get_page = view_get_page,
	.release = view_release,
};

static uint64_t count_views(const struct segment *s)
{
	struct vm_area area;
	uint64_t n = 0;

	for (uptr_t at = 0; vm_area_from(at, &area); at = area.end)
		n += area.file && area.file->ops == &view_ops && area.file->priv == s;
	return n;
}

/* ---- shmget */
static int segment_new(int key, uint64_t bytes, unsigned flags)
{
	struct segment *s;
	struct file *f;
	char name[16];
	int rc;

	if (!bytes || bytes > SHMALL)
		return -EINVAL;
	if (flags & SHM_HUGETLB || bytes > page_total() * PAGE_BYTES)
		return -ENOMEM;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	snprintf(name, sizeof(name), "/SYSV%08x", (unsigned)key);
	rc = memfs_nameless(name, &f);
	if (rc < 0)
		goto out_free;
	s->dentry = dentry_get(f->dentry);
	s->bytes = bytes;
	rc = memfs_truncate(f->inode, page_round_up(bytes));
	file_put(f);
	if (!rc)
		rc = ipc_add(&ids, &s->ipc, key, flags);
	if (rc < 0)
		goto out_dentry;
	s->dentry->inode->ino = (uint64_t)rc;
	return rc;
out_dentry:
	dentry_put(s->dentry);
out_free:
	kfree(s);
	return rc;
}

static uint64_t segment_size(struct ipc_object *o)
{
	return segment_of(o)->bytes;
}

long sys_shmget(const uint64_t a[6])
{
	return ipc_open(&ids, (int)a[0], a[1], (unsigned)a[2]);
}

/* ---- shmat, shmdt */
static int check_place(uptr_t *addr, unsigned flags)
{
	if (*addr & PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		*addr = page_round_down(*addr);
		if (!*addr && flags & SHM_REMAP)
			return -EINVAL;
	}
	return !*addr && flags & SHM_REMAP ? -EINVAL : 0;
}

static bool is_free(uptr_t addr, uint64_t bytes)
{
	struct vm_area area;

	return addr + bytes >= addr &&
		(!vm_area_from(addr, &area) || area.start >= addr + page_round_up(bytes));
}

static long attach(struct segment *s, uptr_t addr, unsigned flags)
{
	int prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) |
		(flags & SHM_EXEC ? PROT_EXEC : 0);
	struct file *f;
	long at;
	int rc = dentry_open_made(s->dentry, flags & SHM_RDONLY ? O_RDONLY : O_RDWR, &f);

	if (rc < 0)
		return rc;
	f->ops = &view_ops;
	f->priv = s;
	s->views++;
	s->ipc.refs++;
	at = vm_map(addr, s->bytes, prot, MAP_SHARED | (addr ? MAP_FIXED : 0), f, 0);
	if (at > 0 || s->views == 1)
		s->atime = at > 0 ? ipc_now() : s->atime;
	s->lpid = IPC_PID;
	file_put(f);
	return at;
}

long sys_shmat(const uint64_t a[6])
{
	unsigned flags = (unsigned)a[2];
	uptr_t addr = a[1];
	struct ipc_object *o;
	int rc;

	if ((int)a[0] < 0 || check_place(&addr, flags) < 0)
		return -EINVAL;
	rc = ipc_find(&ids, (int)a[0], &o);
	if (rc < 0)
		return rc;
	rc = ipc_may(o, (flags & SHM_RDONLY ? 0444 : 0666) | (flags & SHM_EXEC ? 0111 : 0));
	if (rc < 0)
		return rc;
	if (addr && !(flags & SHM_REMAP) && !is_free(addr, segment_of(o)->bytes))
		return -EINVAL;
	return attach(segment_of(o), addr, flags);
}

/* The area that shows addr as the first byte of a segment, or a later part of that view, and all other parts of it. */
long sys_shmdt(const uint64_t a[6])
{
	struct file *view = NULL;
	struct vm_area area;

	if (a[0] & PAGE_MASK)
		return -EINVAL;
	for (uptr_t at = a[0]; vm_area_from(at, &area); at = area.end) {
		if (view &&
			area.start >= a[0] + page_round_up(((struct segment *)view->priv)->bytes))
			break;
		if (!area.file || area.file->ops != &view_ops || (view && area.file != view) ||
			area.start - a[0] != area.pgoff * PAGE_BYTES)
			continue;
		if (!view)
			view = file_get(area.file);
		vm_unmap(area.start, area.end - area.start);
	}
	if (!view)
		return -EINVAL;
	file_put(view);
	return 0;
}

/* ---- shmctl */
static void segment_fill(struct ipc_object *o, union ipc_ds *d)
{
	const struct segment *s = segment_of(o);

	d->shm = (struct shmid_ds){.segsz = s->bytes,
		.atime = s->atime,
		.dtime = s->dtime,
		.ctime = o->ctime,
		.cpid = IPC_PID,
		.lpid = s->lpid,
		.nattch = count_views(s)};
}

static uint64_t resident_pages(const struct segment *s)
{
	struct kstat st;

	inode_stat(s->dentry->inode, &st);
	if (s->dentry->inode->ops->stat)
		s->dentry->inode->ops->stat(s->dentry->inode, &st);
	return st.blocks * 512 / PAGE_BYTES;
}

static long shm_info(uptr_t to)
{
	struct shm_info info = {.used_ids = (int)ids.used};

	for (unsigned i = 0; i < ids.room; i++) {
		const struct segment *s = ids.object[i] ? segment_of(ids.object[i]) : NULL;

		info.shm_tot += s ? page_round_up(s->bytes) / PAGE_BYTES : 0;
		info.shm_rss += s ? resident_pages(s) : 0;
	}
	return put_user(to, &info) < 0 ? -EFAULT : ipc_highest(&ids);
}

static long shm_limits(uptr_t to)
{
	struct shminfo info = {.shmmax = SHMALL,
		.shmmin = 1,
		.shmmni = SHMMNI,
		.shmseg = SHMMNI,
		.shmall = SHMALL};

	return put_user(to, &info) < 0 ? -EFAULT : ipc_highest(&ids);
}

static void segment_remove(struct ipc_object *o)
{
	if (segment_of(o)->views) {
		o->perm.mode |= SHM_DEST;
		o->perm.key = IPC_PRIVATE;
	} else {
		ipc_remove(&ids, o);
	}
}

static long shm_lock(int id, bool on)
{
	struct ipc_object *o;
	int rc = ipc_find(&ids, id, &o);

	if (!rc && !cred_has(CAP_IPC_LOCK))
		rc = ipc_mine(o);
	if (rc < 0)
		return rc;
	o->perm.mode = on ? o->perm.mode | SHM_LOCKED : o->perm.mode & ~SHM_LOCKED;
	return 0;
}

long sys_shmctl(const uint64_t a[6])
{
	int id = (int)a[0], cmd = (int)a[1];

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return shm_limits(a[2]);
	case SHM_INFO:
		return shm_info(a[2]);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return ipc_stat(&ids, id, cmd != IPC_STAT, cmd == SHM_STAT_ANY, a[2]);
	case IPC_SET:
	case IPC_RMID:
		return ipc_change(&ids, id, cmd, a[2]);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(id, cmd == SHM_LOCK);
	default: /* outside numbers */
		return -EINVAL;
	}
}

static void segment_line(struct text *t, struct ipc_object *o, const union ipc_ds *d)
{
	const struct shmid_ds *s = &d->shm;

	text_printf(t, "%21lu %5d %5d  %5lu ", s->segsz, s->cpid, s->lpid, s->nattch);
	ipc_owners(t, &s->perm);
	text_printf(t, "%10ld %10ld %10ld %21lu %21lu\n", s->atime, s->dtime, s->ctime,
		(uint64_t)(resident_pages(segment_of(o)) * PAGE_BYTES), 0ul);
}

static const struct ipc_kind kind = {
	.ds_bytes = sizeof(struct shmid_ds),
	.make = segment_new,
	.size = segment_size,
	.fill = segment_fill,
	.remove = segment_remove,
	.free = segment_free,
	.head = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  "
		"cuid  cgid      atime      dtime      ctime                   rss                 "
		" swap",
	.line = segment_line,
};

int proc_sysvipc_shm(struct text *t, uint64_t n)
{
	return ipc_table(&ids, t);
}
