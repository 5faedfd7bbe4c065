/* SPDX-License-Identifier: Apache-2.0 */
/* The start: arguments, environment, auxiliary vector; writing to them. */
#include "tests/guest/guest.h"

#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
	say("%d %d %d\n", argc, argv[argc] == NULL, strstr(argv[0], "environment") != NULL);
	SHOW(getauxval(AT_PAGESZ));
	SHOW(getauxval(AT_CLKTCK));
	SHOW(getauxval(AT_UID));
	SHOW(getauxval(AT_SECURE));
	SHOW(getauxval(AT_PHENT));
	ASK(getauxval(AT_PHNUM) > 0 && getauxval(AT_PHDR) != 0 && getauxval(AT_ENTRY) != 0);
	ASK(getauxval(AT_RANDOM) != 0);
	ASK(getauxval(AT_SYSINFO_EHDR) != 0);
	ASK(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	ASK(strstr((char *)getauxval(AT_EXECFN), "process/environment") != NULL);
	SHOW(getauxval(9999));
	argv[0][0] = 'X';
	SHOW(setenv("NEW", "value", 0));
	SHOW(setenv("NEW", "other", 0));
	say("%s\n", getenv("NEW"));
	SHOW(setenv("", "x", 1));
	SHOW(setenv("A=B", "x", 1));
	SHOW(unsetenv("NEW"));
	ASK(getenv("NEW") == NULL);
	SHOW(sysconf(_SC_PAGESIZE));
	SHOW(sysconf(_SC_CLK_TCK));
	SHOW(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	SHOW(sysconf(_SC_PHYS_PAGES) > 1000);
	return 0;
}
