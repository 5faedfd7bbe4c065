/* SPDX-License-Identifier: Apache-2.0 */
/* Names of AF_UNIX sockets: abstract ones in a list here, paths as nodes of the file system (fs/vfs.h). */
#include "libos/fs/vfs.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/net/unix.h"

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

static struct list abstract = LIST_INIT(abstract);
static uint32_t autobind_next;

int unix_put_name(const struct unix_name *name, union sockaddr_any *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = AF_UNIX;
	memcpy(addr->un.sun_path, name->path, name->len);
	if (name->len == 0)
		return PATH_AT;
	return (int)(PATH_AT + name->len + (name->path[0] != '\0')); /* a path with its NUL */
}

/* Takes the name out of an address. -EINVAL, -EAFNOSUPPORT. */
static int name_of(const union sockaddr_any *addr, unsigned len, struct unix_name *name)
{
	if (len < PATH_AT || len > sizeof(addr->un))
		return -EINVAL;
	if (addr->family != AF_UNIX)
		return -EAFNOSUPPORT;
	memset(name, 0, sizeof(*name));
	name->len = len - (unsigned)PATH_AT;
	if (name->len > 0 && addr->un.sun_path[0] != '\0')
		name->len = (unsigned)strnlen(addr->un.sun_path, name->len);
	memcpy(name->path, addr->un.sun_path, name->len);
	return 0;
}

static struct unix_sock *find_abstract(const struct unix_name *name)
{
	list_for_each (u, &abstract, struct unix_sock, named)
		if (u->name.len == name->len && memcmp(u->name.path, name->path, name->len) == 0)
			return u;
	return NULL;
}

/* An abstract name of five hexadecimal digits that nobody has. */
static int autobind(struct unix_name *name)
{
	for (unsigned tries = 0; tries < 0x100000; tries++) {
		name->path[0] = '\0';
		name->len = 1 +
			(unsigned)snprintf(
				name->path + 1, UNIX_NAME_MAX, "%05x", autobind_next++ & 0xfffff);
		if (!find_abstract(name))
			return 0;
	}
	return -ENOSPC;
}

int unix_bind(struct sock *s, const union sockaddr_any *addr, unsigned len)
{
	struct unix_sock *u = unix_of(s);
	struct unix_name name;
	int rc = name_of(addr, len, &name);

	if (rc < 0)
		return rc == -EAFNOSUPPORT ? -EINVAL : rc;
	if (u->name.len > 0)
		return name.len == 0 ? 0 : -EINVAL;
	if (name.len == 0) {
		rc = autobind(&name);
		if (rc < 0)
			return rc;
	}
	if (name.path[0] != '\0') {
		rc = vfs_bind_socket(name.path, u, &u->inode);
		if (rc < 0)
			return rc;
	} else {
		if (find_abstract(&name))
			return -EADDRINUSE;
		list_add_tail(&abstract, &u->named);
	}
	u->name = name;
	return 0;
}

void unix_unbind(struct unix_sock *u)
{
	list_del(&u->named);
	if (u->inode)
		vfs_unbind_socket(u->inode);
	u->inode = NULL;
}

int unix_find(const union sockaddr_any *addr, unsigned len, unsigned type, struct unix_sock **found)
{
	struct unix_name name;
	struct unix_sock *u;
	void *owner;
	int rc = name_of(addr, len, &name);

	if (rc < 0)
		return rc == -EAFNOSUPPORT ? -EINVAL : rc;
	if (name.len == 0)
		return -EINVAL;
	if (name.path[0] == '\0') {
		u = find_abstract(&name);
		if (!u)
			return -ECONNREFUSED;
	} else {
		rc = vfs_find_socket(name.path, &owner);
		if (rc < 0)
			return rc;
		u = owner;
	}
	if (u->s.type != type)
		return -EPROTOTYPE;
	*found = u;
	return 0;
}
