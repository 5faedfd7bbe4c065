/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a snapshot, but for its image: bytes of a disk, which anything may have happened to. */
#include "daemon/snapshot/impl.h"

#include "daemon/config.h"
#include "daemon/monitor/args.h"
#include "daemon/state/words.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

static int load_text(const json_t *root, const char *key, char *out, size_t size, struct err *err)
{
	const char *text = NULL;
	int r = jsonx_str(root, key, size - 1, &text, err);

	if (r == 0)
		snprintf(out, size, "%s", text);
	return r;
}

int snapshot_record_load(struct snapshot *s, json_t *root, struct err *err)
{
	const json_t *vm = json_object_get(root, "vm");
	int64_t memory = 0, created = 0, bytes = 0;
	char name[sizeof(s->name)] = "";
	int r = load_text(root, "name", name, sizeof(name), err);

	r = r < 0 ? r : load_text(root, "id", s->id, sizeof(s->id), err);
	r = r < 0 ? r : load_text(root, "digest", s->digest, sizeof(s->digest), err);
	r = r < 0 ? r : load_text(vm, "id", s->vm_id, sizeof(s->vm_id), err);
	r = r < 0 ? r : load_text(vm, "name", s->vm_name, sizeof(s->vm_name), err);
	r = r < 0 ? r : host_id_load(&s->host, json_object_get(root, "host"), err);
	r = r < 0 ? r : record_load_words(root, "argv", ARGS_WORDS_MAX, &s->argv, err);
	r = r < 0 ? r : record_load_words(root, "env", RECORD_ENV_WORDS_MAX, &s->env, err);
	r = r < 0 ? r
		  : jsonx_int(root, "memory_mib", CONFIG_MEMORY_MIB_MIN, CONFIG_MEMORY_MIB_MAX,
			    &memory, err);
	r = r < 0 ? r : jsonx_int(root, "created", 0, INT64_MAX, &created, err);
	r = r < 0 ? r : jsonx_int(root, "bytes", 0, INT64_MAX, &bytes, err);
	r = r < 0 ? r : jsonx_int(root, "paused_us", -1, INT64_MAX, &s->paused_us, err);
	if (r < 0)
		return r;
	s->memory_mib = (unsigned)memory;
	s->created = (struct timespec){
		.tv_sec = created / NS_PER_S, .tv_nsec = (long)(created % NS_PER_S)};
	s->bytes = (uint64_t)bytes;
	s->command = args_join(s->argv);
	if (!s->command)
		return err_sys(err, ENOMEM, "snapshot");
	if (strcmp(name, s->name) != 0 || !s->id[0] || !digest_is_valid(s->digest))
		return err_set(err, EINVAL, "it is that of another one");
	return 0;
}
