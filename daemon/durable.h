/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders that are whole or not there: made under another name, filled, synced, and renamed. What templates and snapshots share of that: records
 * (JSON of bounded size), files that others have written and that nobody writes any more, and the folder itself.
 */
#ifndef DAEMON_DURABLE_H
#define DAEMON_DURABLE_H

#include "lib/err.h"

#include <jansson.h>
#include <stdint.h>

#define DURABLE_RECORD_MAX_BYTES (256 * KIB)
#define DURABLE_RECORD_DEPTH     12

/* A new file with this text, on the disk. root stays the caller's. 0 or -errno. */
int durable_write_json(const char *path, const json_t *root);
/* *root: a new reference. 0 or -errno with err. */
int durable_read_json(const char *path, json_t **root, struct err *err);
/* Makes a file that is not empty read-only, puts it on the disk and adds its blocks to *bytes. 0 or -errno. */
int durable_seal(const char *path, uint64_t *bytes);
/* What it has of the disk; 0 when it is not there. */
uint64_t durable_bytes(const char *path);
/* 0 or -errno. */
int durable_sync_folder(const char *path);

#endif
