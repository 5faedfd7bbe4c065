/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How objects of the API reach stdout: as a table for people, as JSON, as JSON lines, through a template, or as
 * bare ids. The objects are shown as the manager gave them; only a table shortens (ids to 12 characters).
 *
 * Template: {KEY} is a field, {KEY.KEY} one of an object inside, {{ and }} are braces, \t \n \\ as in C. Short keys that
 * a table's columns have ("ip" for ip_address) work too. Text from the manager is printed with its control
 * characters replaced, so that a console's bytes cannot reach the terminal as commands.
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>

struct args;

enum column_kind {
	COLUMN_TEXT,
	COLUMN_ID,     /* cut to 12 characters */
	COLUMN_DIGEST, /* without "sha256:", cut to 12 characters */
	COLUMN_MS,     /* a number of ms */
	COLUMN_AGE,    /* time since an RFC 3339 time */
	COLUMN_BYTES,  /* a size */
	COLUMN_MIB,    /* a size in MiB */
	COLUMN_PORTS,  /* [{host, guest, address}] */
	COLUMN_NUMBERS /* [1, 2, 3] */
};

struct column {
	const char *header; /* upper case; its lower case is a short key of templates */
	const char *key;    /* path of the field */
	enum column_kind kind;
};

enum format_mode { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSON_LINES, FORMAT_TEMPLATE, FORMAT_IDS };

struct format {
	enum format_mode mode;
	const char *template; /* borrowed */
	const struct column *columns;
	size_t ncolumns;
	const char *id_key; /* what -q prints */
};

/* Fills mode and template from --format and, where the command has it, -q. -EINVAL with a sentence. */
int format_init(struct format *f, const struct args *args, bool has_quiet, struct err *err);

/* Prints an array of objects. JSON is one array here. 0, or -errno: -EINVAL (unknown key), -EIO (stdout). */
int format_items(const struct format *f, const json_t *items, struct err *err);
/* Prints one object; FORMAT_TABLE prints "FIELD  VALUE" lines. */
int format_object(const struct format *f, const json_t *object, struct err *err);
/* Flushes stdout; -EIO when something could not be written. */
int format_flush(struct err *err);

#endif
