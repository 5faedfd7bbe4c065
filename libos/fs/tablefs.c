/* SPDX-License-Identifier: Apache-2.0 */
/* See tablefs.h. An inode is a place in the table: an entry, and how much of its path it stands for. */
#include "libos/fs/tablefs.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

#define POS_NUMBERS (1ull << 20) /* directory positions of names that are numbers */
#define TEXT_MAX    (16ul << 20)

struct table_inode {
	struct inode vfs;
	const struct table *table;
	const struct table_entry *entry;
	unsigned len;    /* bytes of entry->path */
	uint64_t number; /* of the last * in it */
};

struct table_file {
	struct text text;
	bool made;
};

/* ---- text */
char *text_room(struct text *t, size_t n)
{
	size_t size = t->size ? t->size : 256;
	char *buf;

	if (t->failed || t->len + n > TEXT_MAX) {
		t->failed = true;
		return NULL;
	}
	while (size < t->len + n)
		size *= 2;
	if (size > t->size) {
		buf = krealloc(t->buf, size);
		if (!buf) {
			t->failed = true;
			return NULL;
		}
		t->buf = buf;
		t->size = size;
	}
	return t->buf + t->len;
}

void text_put(struct text *t, const void *data, size_t n)
{
	char *at = text_room(t, n);

	if (!at)
		return;
	memcpy(at, data, n);
	t->len += n;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *at;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	at = n < 0 ? NULL : text_room(t, (size_t)n + 1);
	if (!at)
		return;
	va_start(ap, fmt);
	vsnprintf(at, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

static int entry_text(const struct table_entry *e, uint64_t number, struct text *t)
{
	int rc = 0;

	t->len = 0;
	if (e->text)
		text_put(t, e->text, strlen(e->text));
	else if (e->make)
		rc = e->make(t, number);
	return rc < 0 ? rc : t->failed ? -ENOMEM : 0;
}

/* ---- names */
static struct table_inode *table_of(struct inode *inode)
{
	return (struct table_inode *)inode;
}

/* The next part of e's path below directory dir: its length, 0 when e does not lie there. */
static unsigned part_below(
	const struct table_inode *dir, const struct table_entry *e, const char **part)
{
	const char *p = e->path;
	unsigned n = 0;

	if (dir->len) {
		if (strncmp(p, dir->entry->path, dir->len) || p[dir->len] != '/')
			return 0;
		p += dir->len + 1;
	}
	while (p[n] && p[n] != '/')
		n++;
	*part = p;
	return n;
}

static bool is_number_part(const char *part, unsigned n)
{
	return n == 1 && *part == '*';
}

static void dir_path(const struct table_inode *dir, char buf[64])
{
	memcpy(buf, dir->entry->path, dir->len);
	buf[dir->len] = 0;
}

/* True when name is a number that exists there. */
static bool number_matches(
	const struct table_inode *dir, const char *name, unsigned len, uint64_t *number)
{
	char path[64], text[16];
	const char *at = text;

	if (!len || len >= sizeof(text) || (name[0] == '0' && len > 1))
		return false;
	memcpy(text, name, len);
	text[len] = 0;
	if (parse_u64(&at, number) < 0 || *at || *number > INT32_MAX)
		return false;
	dir_path(dir, path);
	return dir->table->next_number(path, (int64_t)*number) == (int64_t)*number;
}

static const struct inode_ops table_inode_ops, table_jump_ops;

static int table_inode_new(struct table_inode *dir, const struct table_entry *e, unsigned len,
	uint64_t number, struct inode **inode)
{
	struct table_inode *ti = kzalloc(sizeof(*ti));
	bool is_dir = e->path[len] == '/';
	uint32_t mode = e->mode ? e->mode : e->link ? 0777 : e->write ? 0644 : 0444;

	if (!ti)
		return -ENOMEM;
	inode_init(&ti->vfs, !is_dir && e->jump ? &table_jump_ops : &table_inode_ops, dir->vfs.sb,
		is_dir ? S_IFDIR | 0555 : (e->link ? S_IFLNK : S_IFREG) | mode);
	ti->vfs.nlink = is_dir ? 2 : 1;
	ti->table = dir->table;
	ti->entry = e;
	ti->len = len;
	ti->number = e->arg && !is_dir ? e->arg : number;
	ti->vfs.ino = (number + 1) << 24 | (uint64_t)(e - dir->table->entry + 1) << 8 | len;
	*inode = &ti->vfs;
	return 0;
}

static int table_lookup(
	struct inode *inode, const char *name, unsigned len, struct inode **out, bool *lower)
{
	struct table_inode *dir = table_of(inode);

	for (unsigned i = 0; i < dir->table->count; i++) {
		const struct table_entry *e = &dir->table->entry[i];
		uint64_t number = dir->number;
		const char *part;
		unsigned n = part_below(dir, e, &part);

		if (!n)
			continue;
		if (is_number_part(part, n) ? number_matches(dir, name, len, &number)
					    : n == len && !memcmp(part, name, len))
			return table_inode_new(dir, e, (unsigned)(part + n - e->path), number, out);
	}
	return -ENOENT;
}

static long table_readlink(struct inode *inode, char *buf, size_t size)
{
	struct table_inode *ti = table_of(inode);
	struct text t = {0};
	long rc = entry_text(ti->entry, ti->number, &t);

	if (!rc) {
		memcpy(buf, t.buf, t.len < size ? t.len : size);
		rc = (long)t.len;
	}
	kfree(t.buf);
	return rc;
}

static int table_jump(struct inode *inode, struct dentry **d)
{
	struct table_inode *ti = table_of(inode);

	return ti->entry->jump(ti->number, d);
}

/* ---- files */
static long table_read(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct table_inode *ti = table_of(f->inode);
	struct table_file *tf = f->priv;
	long got;

	if (!tf->made || !*pos) {
		int rc = entry_text(ti->entry, ti->number, &tf->text);

		if (rc < 0)
			return rc;
		tf->made = true;
	}
	if (*pos >= tf->text.len)
		return 0;
	got = iter_put(it, tf->text.buf + *pos, tf->text.len - *pos);
	if (got > 0)
		*pos += (uint64_t)got;
	return got;
}

static long table_write(struct file *f, struct iter *it, uint64_t *pos, bool nonblock)
{
	struct table_inode *ti = table_of(f->inode);
	uint64_t n = it->left;
	char buf[128];
	long got;

	if (!ti->entry->write)
		return -EACCES;
	if (n >= sizeof(buf))
		n = sizeof(buf) - 1;
	got = iter_get(it, buf, n);
	if (got < 0)
		return got;
	buf[got] = 0;
	int rc = ti->entry->write(buf, (size_t)got, ti->number);
	if (rc < 0)
		return rc;
	got += (long)it->left; /* what is beyond the buffer is taken and not looked at */
	*pos += (uint64_t)got;
	return got;
}

static long table_seek(struct file *f, int64_t off, int whence)
{
	struct table_file *tf = f->priv;

	return file_seek_size(f, off, whence, tf->text.len);
}

static void table_file_release(struct file *f)
{
	struct table_file *tf = f->priv;

	kfree(tf->text.buf);
	kfree(tf);
}

static int table_sync(struct file *f, bool data_only)
{
	return -EINVAL;
}

static const struct file_ops table_file_ops = {
	.name = "proc",
	.read = table_read,
	.write = table_write,
	.seek = table_seek,
	.sync = table_sync,
	.release = table_file_release,
};

static int table_fill(struct file *f, uint64_t pos, struct dir_sink *sink)
{
	struct table_inode *dir = table_of(f->inode);
	const struct table *t = dir->table;
	char path[64], name[16];
	const char *part, *before;
	bool numbers = false;

	for (unsigned i = 0; i < t->count; i++) {
		unsigned n = part_below(dir, &t->entry[i], &part), seen = 0;
		uint32_t type = t->entry[i].link ? DT_LNK : DT_REG;

		if (!n)
			continue;
		if (is_number_part(part, n)) {
			numbers = true;
			continue;
		}
		for (unsigned k = 0; k < i && !seen; k++)
			seen = part_below(dir, &t->entry[k], &before) == n &&
				!memcmp(part, before, n);
		if (seen || i + DIR_POS_FIRST < pos)
			continue;
		if (!dir_emit(sink, part, n, (uint64_t)(i + 1) << 8 | n,
			    part[n] == '/' ? DT_DIR : type, i + DIR_POS_FIRST + 1))
			return 0;
	}
	if (!numbers)
		return 0;
	dir_path(dir, path);
	for (int64_t v = pos < POS_NUMBERS ? 0 : (int64_t)(pos - POS_NUMBERS);
		(v = t->next_number(path, v)) >= 0; v++) {
		int n = snprintf(name, sizeof(name), "%ld", (long)v);

		if (!dir_emit(sink, name, (unsigned)n, (uint64_t)(v + 1) << 24 | 1, DT_UNKNOWN,
			    POS_NUMBERS + (uint64_t)v + 1))
			break;
	}
	return 0;
}

static long table_getdents(struct file *f, uptr_t buf, size_t size)
{
	return dir_getdents(f, buf, size, table_fill);
}

static const struct file_ops table_dir_ops = {
	.name = "dir",
	.read = dir_read,
	.seek = dir_seek,
	.getdents = table_getdents,
	.sync = table_sync,
};

static int table_open(struct inode *inode, struct file *f)
{
	if (inode_is(inode, S_IFDIR)) {
		f->ops = &table_dir_ops;
		return 0;
	}
	if ((f->flags & O_ACCMODE) != O_RDONLY && !table_of(inode)->entry->write)
		return -EACCES;
	f->priv = kzalloc(sizeof(struct table_file));
	if (!f->priv)
		return -ENOMEM;
	f->ops = &table_file_ops;
	return 0;
}

static void table_release(struct inode *inode)
{
	kfree(inode);
}

static const struct inode_ops table_inode_ops = {
	.lookup = table_lookup,
	.readlink = table_readlink,
	.open = table_open,
	.release = table_release,
};

/* The same for links that lead to an object. */
static const struct inode_ops table_jump_ops = {
	.lookup = table_lookup,
	.readlink = table_readlink,
	.jump = table_jump,
	.open = table_open,
	.release = table_release,
};

int tablefs_new(
	const char *type, uint64_t magic, bool enoent, const struct table *table, struct super **sb)
{
	struct table_inode *root = kzalloc(sizeof(*root));
	struct super *s = kzalloc(sizeof(*s));

	if (!root || !s)
		goto out;
	*s = (struct super){.type = type, .dev = dev_new(), .magic = magic, .enoent = enoent};
	inode_init(&root->vfs, &table_inode_ops, s, S_IFDIR | 0555);
	root->vfs.ino = 1;
	root->vfs.nlink = 2;
	root->table = table;
	root->entry = &table->entry[0];
	s->root = dentry_new(NULL, "/", 1, &root->vfs);
	if (!s->root)
		goto out;
	inode_put(&root->vfs);
	*sb = s;
	return 0;
out:
	kfree(root);
	kfree(s);
	return -ENOMEM;
}
