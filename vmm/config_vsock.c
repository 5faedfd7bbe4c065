/* SPDX-License-Identifier: Apache-2.0 */
/* The vsock device of the configuration: its Unix socket on the host's side is made here. */
#include "vmm/config_impl.h"

#include "abi/virtio.h"
#include "lib/err.h"
#include "lib/jsonx.h"
#include "vmm/dev/uds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define CID_MAX (UINT32_MAX - 1) /* the last one means any */

void config_vsock_fini(struct config *config, bool unlinks)
{
	struct config_vsock *v = &config->vsock;

	if (v->cid && unlinks)
		unlinkat(v->folder_fd, v->name, 0);
	if (v->listen_fd >= 0)
		close(v->listen_fd);
	if (v->folder_fd >= 0)
		close(v->folder_fd);
	free(v->path);
	free(v->name);
	*v = (struct config_vsock){.listen_fd = -1, .folder_fd = -1};
}

static int set(struct config *config, uint32_t cid, const char *path, struct err *err)
{
	const char *name = NULL;
	_cleanup_close_ int folder = uds_folder(path, &name, err);
	_cleanup_free_ char *path_copy = strdup(path), *name_copy = name ? strdup(name) : NULL;
	int fd;

	if (folder < 0)
		return err_prefix(err, "Cannot create backend for vsock device");
	if (!path_copy || !name_copy)
		return err_set(err, ENOMEM, "out of memory");
	config_vsock_fini(config, true); /* the path may be the same */
	fd = uds_listen(path, err);
	if (fd < 0)
		return err_prefix(err,
			"Cannot create backend for vsock device: Error binding to the host-side "
			"Unix socket");
	config->vsock = (struct config_vsock){.cid = cid,
		.path = steal_ptr(&path_copy),
		.name = steal_ptr(&name_copy),
		.listen_fd = fd,
		.folder_fd = steal_fd(&folder)};
	return 0;
}

int config_vsock(struct config *config, const json_t *body, struct err *err)
{
	static const char *const names[] = {"vsock_id", "guest_cid", "uds_path", NULL};
	const char *id = NULL, *path = NULL;
	int64_t cid = 0;
	int r = config_check_fields(body, names, err);

	if (r == 0)
		r = config_required(body, "guest_cid", err);
	if (r == 0)
		r = config_required(body, "uds_path", err);
	if (r < 0 || (r = jsonx_opt_str(body, "vsock_id", CONFIG_ID_MAX, &id, err)) < 0 ||
		(r = jsonx_int(body, "guest_cid", VIRTIO_VSOCK_CID_GUEST_MIN, CID_MAX, &cid, err)) <
			0 ||
		(r = jsonx_str(body, "uds_path", CONFIG_PATH_MAX_BYTES, &path, err)) < 0)
		return r;
	return set(config, (uint32_t)cid, path, err);
}

int config_vsock_option(struct config *config, const char *text, struct err *err)
{
	char *end = NULL;
	unsigned long long cid;

	errno = 0;
	cid = strtoull(text, &end, 10);
	if (errno || end == text || *end != ':' || cid < VIRTIO_VSOCK_CID_GUEST_MIN ||
		cid > CID_MAX)
		return err_set(
			err, EINVAL, "--vsock %s: CID:PATH is wanted, CID 3 to %u", text, CID_MAX);
	return set(config, (uint32_t)cid, end + 1, err);
}

json_t *config_vsock_json(const struct config *config)
{
	const struct config_vsock *v = &config->vsock;

	return v->cid
		? json_pack("{s:I, s:s}", "guest_cid", (json_int_t)v->cid, "uds_path", v->path)
		: NULL;
}
