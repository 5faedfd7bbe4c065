/* SPDX-License-Identifier: Apache-2.0 */
/* A tool of the build: embed_openapi IN.yaml OUT.c writes the contract as JSON into a C file. A bad contract breaks the build. */
#include "daemon/yaml_json.h"
#include "lib/util.h"

#define YAML_MAX_BYTES (1 * MIB)
#define BYTES_PER_LINE 20

static int write_c(FILE *out, const char *text)
{
	size_t n = 0;

	fprintf(out, "#include \"daemon/api/openapi.h\"\n\nconst char openapi_json[] = {");
	for (; text[n]; n++)
		fprintf(out, "%s%d,", n % BYTES_PER_LINE ? " " : "\n\t", text[n]);
	fprintf(out, "\n\t0};\nconst size_t openapi_json_bytes = %zu;\n", n);
	return ferror(out) ? -1 : 0;
}

int main(int argc, char **argv)
{
	_cleanup_fclose_ FILE *out = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = {0};
	json_t *root;

	if (argc != 3 || yaml_load_file(argv[1], YAML_MAX_BYTES, &root, &err) < 0) {
		fprintf(stderr, "embed_openapi: %s\n",
			argc == 3 ? err.msg : "two arguments are wanted");
		return 1;
	}
	text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(root);
	out = fopen(argv[2], "we");
	if (!text || !out || write_c(out, text) < 0) {
		fprintf(stderr, "embed_openapi: cannot write %s\n", argv[2]);
		return 1;
	}
	return 0;
}
