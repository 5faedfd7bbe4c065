/* SPDX-License-Identifier: Apache-2.0 */
/* An application's file from bytes. */
#include "cli/app/file.h"

#include "cli/parse.h"

#include <stdlib.h>

/* Not reached: the options of `run`, in the same file as the ports and volumes that are. */
bool args_has(const struct args *args, const char *option)
{
	abort();
}

const char *args_text(const struct args *args, const char *option)
{
	abort();
}

const char *const *args_list(const struct args *args, const char *option, size_t *count)
{
	abort();
}

int64_t args_count(const struct args *args, const char *option, int64_t fallback)
{
	abort();
}

double args_seconds(const struct args *args, const char *option, double fallback)
{
	abort();
}

int64_t args_memory_mib(const struct args *args, const char *option, int64_t fallback)
{
	abort();
}

const char *args_operand(const struct args *args, size_t i)
{
	abort();
}

size_t args_operands(const struct args *args)
{
	abort();
}

size_t args_program_words(const struct args *args)
{
	abort();
}

const char *args_program_word(const struct args *args, size_t i)
{
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct app_file file;
	struct err err = {0};

	if (app_file_parse("fuzz", (const char *)data, size, &file, &err)) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < file.nbuilds; i++)
		free(app_file_context(&file, &file.builds[i], "x"));
	app_file_fini(&file);
	return 0;
}
