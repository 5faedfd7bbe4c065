/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as JSON, for files that people write. Only the plain part of YAML is taken: one document of maps, lists and
 * scalars. Anchors, aliases, tags and merge keys are refused (they make small files huge), so are keys that stand
 * twice. Plain scalars mean what they mean in YAML 1.2's core: null ~ true false, decimal whole numbers; all the rest
 * ("yes", 1.5, 0x10) is text.
 */
#ifndef CLI_IMAGE_YAML_H
#define CLI_IMAGE_YAML_H

#include "lib/err.h"

#include <jansson.h>

#define YAML_MAX_BYTES (1024 * 1024) /* image trace names thousands of files */
#define YAML_MAX_DEPTH 8
#define YAML_MAX_NODES 32768

struct yaml {
	json_t *root;  /* owned */
	json_t *lines; /* owned: JSON pointer of each value ("/files/0/to") -> its line, from 1 */
	const char *name; /* of the file, for sentences; borrowed */
};

/* 0; -EINVAL with "NAME:LINE: sentence", -EMSGSIZE, -ENOMEM. doc is untouched on failure. */
int yaml_load(const char *name, const char *text, size_t len, struct yaml *doc, struct err *err);
/* The same of a file, which is called by its path in sentences. -errno when it can not be read. */
int yaml_load_file(const char *path, struct yaml *doc, struct err *err);
void yaml_fini(struct yaml *doc);

/* Line of the value at a JSON pointer, or of the nearest value around it. */
int yaml_line(const struct yaml *doc, const char *pointer);

/* Whole numbers of a map become texts, where they are meant as their digits (environments: PORT: 80). 0 or -ENOMEM. */
int yaml_digits(json_t *map);

#endif
