/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/template/impl.h"

#include "daemon/hash.h"
#include "daemon/image/store.h"
#include "daemon/instance/instance.h"
#include "lib/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
