/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the two argument lines of an instance (split at the first NUL); counts and pointers have to stay inside. */
#include "tests/unit/libos/core/core.h"
#include "tests/unit/libos/core/klib.h"

#define strlcpy k_strlcpy
#include "libos/exec/args.c"
#undef strlcpy

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct args *a, const char *text, size_t size)
{
	if (a->argc > ARGS_MAX_WORDS || a->envc > ARGS_MAX_WORDS || a->argv[a->argc] ||
		a->envp[a->envc])
		abort();
	for (int i = 0; i < a->argc; i++) {
		if (a->argv[i] < text || a->argv[i] + strlen(a->argv[i]) >= text + size)
			abort();
	}
	for (int i = 0; i < a->envc; i++) {
		if (a->envp[i] < text || !strchr(a->envp[i], '='))
			abort();
	}
	if (strnlen(a->hostname, sizeof(a->hostname)) == sizeof(a->hostname))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct args *a = calloc(1, sizeof(*a));
	char *text = malloc(size + 2);
	size_t first;

	memcpy(text, data, size);
	text[size] = text[size + 1] = 0;
	first = strlen(text) + 1;
	args_parse(a, text);
	if (first <= size)
		args_parse(a, text + first);
	check(a, text, size + 2);
	free(text);
	free(a);
	return 0;
}
