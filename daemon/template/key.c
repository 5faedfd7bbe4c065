/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/template/impl.h"

#include "daemon/core.h"
#include "daemon/hash.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "daemon/network/network.h"
#include "lib/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int template_key_of(const struct instance *inst, struct template_key *key)
{
	*key = (struct template_key){.command = strdup(inst->cmdline),
		.env = json_array(),
		.memory_mib = inst->spec.memory_mib};
	snprintf(key->digest, sizeof(key->digest), "%s", image_digest(inst->image));
	for (char *const *e = inst->env; key->env && e && *e; e++) {
		if (json_array_append_new(key->env, json_string(*e)) < 0) {
			template_key_fini(key);
			return -ENOMEM;
		}
	}
	if (key->command && key->env)
		return 0;
	template_key_fini(key);
	return -ENOMEM;
}

void template_key_fini(struct template_key *key)
{
	free(key->command);
	json_decref(key->env);
	*key = (struct template_key){0};
}

bool template_key_equal(const struct template_key *a, const struct template_key *b)
{
	return strcmp(a->digest, b->digest) == 0 && strcmp(a->command, b->command) == 0 &&
		json_equal(a->env, b->env) && a->memory_mib == b->memory_mib;
}

static bool has_env(const struct template_key *key, char *const *env)
{
	size_t n = 0;

	for (; env && env[n]; n++) {
		const char *word = json_string_value(json_array_get(key->env, n));

		if (!word || strcmp(word, env[n]) != 0)
			return false;
	}
	return json_array_size(key->env) == n;
}

bool template_key_serves(const struct template_key *key, const struct instance *i)
{
	unsigned asked = i->spec.memory_mib;

	return (key->memory_mib == asked || (i->spec.more_will_do && key->memory_mib > asked)) &&
		strcmp(key->digest, image_digest(i->image)) == 0 &&
		strcmp(key->command, i->cmdline) == 0 && has_env(key, i->env);
}

/* Two keys of one id are told apart by template_key_equal(); the second is refused then. */
void template_key_id(const struct template_key *key, char id[TEMPLATE_ID_BYTES])
{
	_cleanup_free_ char *env = json_dumps(key->env, JSON_COMPACT);
	_cleanup_buf_ struct buf text;
	uint64_t hash;

	buf_init(&text, 0);
	buf_printf(&text, "%s\n%s\n%s\n%u", key->digest, key->command, env ? env : "",
		key->memory_mib);
	hash = hash_bytes(text.data ? text.data : "", text.len);
	snprintf(id, TEMPLATE_ID_BYTES, "%016" PRIx64, hash);
}

static int add_file(struct digest *digest, const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[DIGEST_TEXT_BYTES];
	int r = fd < 0 ? -errno : digest_fd(fd, text);

	if (r < 0)
		return err_sys(err, -r, "cannot read %s", path);
	digest_add(digest, text, strlen(text));
	return 0;
}

/* Name and features of the first processor; all are alike. */
static void add_processor(struct digest *digest)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[16384];

	while (f && fgets(line, sizeof(line), f) && line[0] != '\n') {
		if (strncmp(line, "model", 5) == 0 || strncmp(line, "flags", 5) == 0 ||
			strncmp(line, "vendor_id", 9) == 0 || strncmp(line, "stepping", 8) == 0)
			digest_add(digest, line, strlen(line));
	}
	if (f)
		fclose(f);
}

int template_host(const struct core *core, char host[DIGEST_TEXT_BYTES], struct err *err)
{
	struct digest *digest _cleanup_(digest_freep) = digest_new();
	char network[64];
	int r;

	if (!digest)
		return err_sys(err, ENOMEM, "templates");
	r = add_file(digest, core->config.uvmm, err);
	r = r < 0 ? r : add_file(digest, core->config.libos, err);
	if (r < 0)
		return r;
	add_processor(digest);
	snprintf(network, sizeof(network), "ipv6=%d",
		network_subnet6(core->network)->on); /* the one profile that there is */
	digest_add(digest, network, strlen(network));
	digest_end(digest, host);
	return 0;
}
