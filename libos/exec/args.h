/* SPDX-License-Identifier: Apache-2.0 */
/* The argument line of an instance (grammar: abi/identity.h), parsed once at boot. */
#ifndef LIBOS_EXEC_ARGS_H
#define LIBOS_EXEC_ARGS_H

#include "libos/drv/net.h"

#include <stdbool.h>

#define ARGS_MAX_WORDS  512
#define ARGS_MAX_MOUNTS 8

/* mount=TAG:FOLDER[:ro], in the line's text. */
struct args_mount {
	const char *tag, *place;
	bool read_only;
};

struct args {
	struct net_config net;
	char hostname[64];
	char search[256]; /* domains, commas between */
	const char *cwd;  /* the program's working folder, in the line's text; NULL: / */
	bool trace, no_aslr;
	unsigned patch_after;           /* traps until a system call is patched; 0: never */
	uint64_t tsc_khz, wall_ns;      /* 0: not given */
	char *argv[ARGS_MAX_WORDS + 1]; /* NULL-terminated, in the lines' text */
	char *envp[ARGS_MAX_WORDS + 1];
	int argc, envc;
	struct args_mount mount[ARGS_MAX_MOUNTS];
	unsigned nmounts;
};

/* Applies one line to args: later lines win, option by option, and the program with all its arguments. The text is changed in place and
 * stays used. 0, or -EINVAL / -E2BIG with a line on the console (what came before is applied then). */
int args_parse(struct args *args, char *text);

extern struct args boot_args;

#endif
