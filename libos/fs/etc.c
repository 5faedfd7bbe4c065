/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/fs/etc.h"

#include "libos/exec/args.h"
#include "libos/fs/tablefs.h"
#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/mem/kmalloc.h"

static void put_address(struct text *t, uint32_t ip)
{
	text_printf(t, "%u.%u.%u.%u", ip & 0xff, ip >> 8 & 0xff, ip >> 16 & 0xff, ip >> 24);
}

/* The last domain is that of all instances. */
static const char *own_domain(const struct args *args)
{
	const char *comma = strrchr(args->search, ',');

	return comma ? comma + 1 : args->search;
}

static void make_hosts(struct text *t, const struct args *args)
{
	text_printf(t, "127.0.0.1 localhost\n");
	if (!args->hostname[0])
		return;
	put_address(t, args->net.ip ? args->net.ip : 0x0100007fu); /* 127.0.0.1 */
	if (args->search[0])
		text_printf(t, " %s.%s", args->hostname, own_domain(args));
	text_printf(t, " %s\n", args->hostname);
}

static void make_resolv_conf(struct text *t, const struct args *args)
{
	if (!args->net.dns)
		return;
	text_printf(t, "nameserver ");
	put_address(t, args->net.dns);
	text_printf(t, "\n");
	if (!args->search[0])
		return;
	text_printf(t, "search ");
	for (const char *c = args->search; *c; c++)
		text_printf(t, "%c", *c == ',' ? ' ' : *c);
	text_printf(t, "\n");
}

static int write_file(const char *path, int flags, const struct text *t)
{
	struct file *f;
	struct iter it;
	uint64_t pos = 0;
	long rc = vfs_open(path, O_WRONLY | flags, 0644, &f);

	if (rc < 0)
		return (int)rc;
	iter_kernel(&it, t->buf, t->len);
	rc = f->ops->write(f, &it, &pos, false);
	file_put(f);
	return rc < 0 ? (int)rc : 0;
}

static struct etc_file {
	const char *path;
	void (*fill)(struct text *t, const struct args *args);
	bool ours;
} files[] = {{.path = "/etc/hosts", .fill = make_hosts},
	{.path = "/etc/resolv.conf", .fill = make_resolv_conf}};
#define FILES (sizeof(files) / sizeof(files[0]))

static int make(struct etc_file *file, int flags, const struct args *args)
{
	struct text t = {0};
	int rc = 0;

	file->fill(&t, args);
	if (t.failed)
		rc = -ENOMEM;
	else if (t.len)
		rc = write_file(file->path, flags, &t);
	if (rc == 0 && t.len)
		file->ours = true;
	kfree(t.buf);
	return rc == -EEXIST ? 0 : rc;
}

int etc_init(const struct args *args)
{
	int rc;

	if (!args->hostname[0] && !args->net.ip)
		return 0;
	rc = vfs_mkdir(AT_FDCWD, "/etc", 0755);
	if (rc < 0 && rc != -EEXIST)
		return rc;
	for (unsigned i = 0; i < FILES && (rc == 0 || rc == -EEXIST); i++)
		rc = make(&files[i], O_CREAT | O_EXCL, args);
	return rc;
}

/* What can not be written is as it was: the program has made it so, or taken it away. */
void etc_renew(const struct args *args)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (files[i].ours)
			make(&files[i], O_TRUNC, args);
	}
}
