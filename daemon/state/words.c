/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state/words.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

json_t *record_words(char *const *argv)
{
	json_t *words;

	if (!argv)
		return json_null();
	words = json_array();
	for (; *argv; argv++)
		json_array_append_new(words, json_string(*argv));
	return words;
}

/* null: no words at all. */
int record_load_words(const json_t *root, const char *key, size_t max, char ***out, struct err *err)
{
	const json_t *words = json_object_get(root, key);
	size_t n = json_array_size(words);
	char **to;

	if (!json_is_array(words))
		return 0;
	to = n <= max ? calloc(n + 1, sizeof(*to)) : NULL;
	if (!to)
		return err_set(err, EINVAL, "%s: too many", key);
	*out = to;
	for (size_t k = 0; k < n; k++) {
		const char *word = json_string_value(json_array_get(words, k));

		to[k] = word ? strdup(word) : NULL;
		if (!to[k])
			return err_set(err, EINVAL, "%s: strings are wanted", key);
	}
	return 0;
}
