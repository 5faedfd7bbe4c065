/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of others: the first byte says whose. Capstan's two files have a NUL between them. What is taken is checked as any. */
#include "cli/image/foreign.h"
#include "cli/image/manifest.h"

#include "lib/jsonx.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {"/tools/hello", "a b", NULL};
static const char *const define[] = {"gccbase=/usr/lib", "x=%(gccbase)s"};
static const struct foreign options = {
	.name = "fuzz", .words = words, .define = define, .ndefine = 2};

static void check(struct yaml *doc)
{
	struct err err = {0};
	char *line = NULL;

	if (!manifest_check(doc, true, &err)) {
		json_decref(manifest_config(doc->root, "/bin/x"));
		manifest_cmdline(doc->root, &line, &err);
		free(line);
	}
	yaml_fini(doc);
}

static void capstan(const char *text, size_t len)
{
	static const struct foreign_runtime runtime = {"/usr/bin/node", {"/usr/lib/node", ""}};
	const char *second = memchr(text, '\0', len);
	struct yaml package = {0}, run = {0}, doc = {0};
	json_t *top = json_pack("[s, s]", "hello.so", "bin");
	struct err err = {0};

	if (second && !yaml_load("package", text, (size_t)(second - text), &package, &err) &&
		!yaml_load("run", second + 1, len - (size_t)(second - text) - 1, &run, &err) &&
		!foreign_capstan(&package, &run, top, &runtime, &(struct foreign){.config = NULL},
			&doc, &err))
		check(&doc);
	yaml_fini(&package);
	yaml_fini(&run);
	json_decref(top);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml doc = {0};
	struct err err = {0};

	if (!size)
		return 0;
	if (*data == 'c')
		capstan((const char *)data + 1, size - 1);
	else if (!foreign_osv("fuzz", (const char *)data + 1, size - 1, &options, &doc, &err))
		check(&doc);
	return 0;
}
