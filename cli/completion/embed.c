/* SPDX-License-Identifier: Apache-2.0 */
/* A tool of the build: embed OUT.c {NAME FILE}... writes each file into a C file, as const char completion_NAME[]. */
#include "lib/util.h"

#define BYTES_PER_LINE 20

static int embed(FILE *out, const char *name, const char *path)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	int c;

	if (!in)
		return -1;
	fprintf(out, "\nconst char completion_%s[] = {", name);
	for (unsigned n = 0; (c = getc(in)) != EOF; n++)
		fprintf(out, "%s%d,", n % BYTES_PER_LINE ? " " : "\n\t", (char)c);
	fprintf(out, "\n\t0};\n");
	return ferror(in) || ferror(out) ? -1 : 0;
}

int main(int argc, char **argv)
{
	_cleanup_fclose_ FILE *out = argc > 1 ? fopen(argv[1], "we") : NULL;
	int r = out ? 0 : -1;

	if (out)
		fprintf(out, "#include \"cli/completion/complete.h\"\n");
	for (int i = 2; r == 0 && i + 1 < argc; i += 2)
		r = embed(out, argv[i], argv[i + 1]);
	if (r < 0 || fflush(out)) {
		fprintf(stderr, "embed: cannot write the scripts\n");
		return 1;
	}
	return 0;
}
