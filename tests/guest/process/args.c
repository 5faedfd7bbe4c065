/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments, environment and the auxiliary vector. */
#include "tests/guest/guest.h"

#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
	const char *execfn = (const char *)getauxval(AT_EXECFN);

	SHOW(argc);
	for (int i = 1; i < argc; i++)
		say("argv[%d] = \"%s\"\n", i, argv[i]);
	ASK(argv[argc] == NULL);
	say("GREETING = \"%s\"\n", getenv("GREETING") ? getenv("GREETING") : "(none)");
	say("EMPTY = \"%s\"\n", getenv("EMPTY") ? getenv("EMPTY") : "(none)");
	say("MISSING = \"%s\"\n", getenv("MISSING") ? getenv("MISSING") : "(none)");
	SHOW(getauxval(AT_PAGESZ));
	SHOW(getauxval(AT_CLKTCK));
	SHOW(getauxval(AT_SECURE));
	SHOW(getauxval(AT_UID) | getauxval(AT_EUID) | getauxval(AT_GID) | getauxval(AT_EGID));
	ASK(execfn && strlen(execfn) >= 4 && strcmp(execfn + strlen(execfn) - 4, "args") == 0);
	ASK(!all_bytes((const void *)getauxval(AT_RANDOM), 16, 0));
	ASK(getauxval(AT_PHDR) != 0 && getauxval(AT_PHENT) == sizeof(Elf64_Phdr) &&
		getauxval(AT_PHNUM) > 0);
	ASK(getauxval(AT_ENTRY) != 0);
	ASK(strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	return 0;
}
