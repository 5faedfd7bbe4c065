/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by format.c (tables, JSON) and template.c (templates): how one field becomes text. */
#ifndef CLI_FORMAT_IMPL_H
#define CLI_FORMAT_IMPL_H

#include "cli/format.h"

#include "lib/buf.h"

/* The field at a dotted path of an object, or NULL. */
const json_t *format_field(const json_t *object, const char *path, size_t len);

/* Appends a value as text: strings bare with control characters replaced, null as "-", the rest as compact JSON. */
int format_value(struct buf *out, const json_t *value);

/* Appends one object through the template and a newline. -EINVAL: unknown key or a brace that is not closed. */
int template_print(const struct format *f, const json_t *object, struct buf *out, struct err *err);

#endif
