/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/host_id.h"

#include "daemon/core.h"
#include "daemon/network/network.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int of_file(const char *path, char text[DIGEST_TEXT_BYTES], struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : digest_fd(fd, text);

	return r < 0 ? err_sys(err, -r, "cannot read %s", path) : 0;
}

/* Name and features of the first processor; all are alike. */
static int of_processor(char text[DIGEST_TEXT_BYTES], struct err *err)
{
	struct digest *digest _cleanup_(digest_freep) = digest_new();
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[16384];

	while (f && digest && fgets(line, sizeof(line), f) && line[0] != '\n') {
		if (strncmp(line, "model", 5) == 0 || strncmp(line, "flags", 5) == 0 ||
			strncmp(line, "vendor_id", 9) == 0 || strncmp(line, "stepping", 8) == 0)
			digest_add(digest, line, strlen(line));
	}
	if (f)
		fclose(f);
	if (!digest)
		return err_sys(err, ENOMEM, "processor");
	digest_end(digest, text);
	return 0;
}

const struct host_id *host_id_own(struct core *core, struct err *err)
{
	struct host_id *id = &core->host;
	int r;

	if (id->processor[0])
		return id;
	r = of_file(core->config.uvmm, id->monitor, err);
	r = r < 0 ? r : of_file(core->config.libos, id->libos, err);
	r = r < 0 ? r : of_processor(id->processor, err);
	id->ipv6 = network_subnet6(core->network)->on;
	return r < 0 ? NULL : id;
}

void host_id_digest(const struct host_id *id, char text[DIGEST_TEXT_BYTES])
{
	struct digest *digest _cleanup_(digest_freep) = digest_new();

	text[0] = '\0';
	if (!digest)
		return;
	digest_add(digest, id->monitor, strlen(id->monitor));
	digest_add(digest, id->libos, strlen(id->libos));
	digest_add(digest, id->processor, strlen(id->processor));
	digest_add(digest, &id->ipv6, sizeof(id->ipv6));
	digest_end(digest, text);
}

const char *host_id_differs(const struct host_id *a, const struct host_id *b)
{
	if (strcmp(a->monitor, b->monitor) != 0)
		return "another build of the monitor uvmm";
	if (strcmp(a->libos, b->libos) != 0)
		return "another build of the libOS";
	if (strcmp(a->processor, b->processor) != 0)
		return "a processor of another model or other features";
	return a->ipv6 != b->ipv6 ? "a network with (or without) IPv6" : NULL;
}

json_t *host_id_json(const struct host_id *id)
{
	return json_pack("{s:s, s:s, s:s, s:b}", "monitor", id->monitor, "libos", id->libos,
		"processor", id->processor, "ipv6", (int)id->ipv6);
}

static int load_digest(
	const json_t *root, const char *key, char out[DIGEST_TEXT_BYTES], struct err *err)
{
	const char *text = NULL;
	int r = jsonx_str(root, key, DIGEST_TEXT_BYTES - 1, &text, err);

	if (r < 0)
		return r;
	if (!digest_is_valid(text))
		return err_set(err, EINVAL, "%s: no digest", key);
	snprintf(out, DIGEST_TEXT_BYTES, "%s", text);
	return 0;
}

int host_id_load(struct host_id *id, const json_t *root, struct err *err)
{
	int r = load_digest(root, "monitor", id->monitor, err);

	r = r < 0 ? r : load_digest(root, "libos", id->libos, err);
	r = r < 0 ? r : load_digest(root, "processor", id->processor, err);
	return r < 0 ? r : jsonx_bool(root, "ipv6", &id->ipv6, err);
}
