/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines of memcached's text protocol (doc/protocol.txt of memcached). Pure: bytes in, a command or the line of an
 * error out. Lists of keys (get, gets, gat, gats) are not parsed here: they have no limit, and are read key by key.
 */
#ifndef SERVICES_KVSTORE_MC_LINE_H
#define SERVICES_KVSTORE_MC_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MC_LINE_MAX_BYTES 2048 /* without its end; lists of keys may be longer */

#define MC_ERROR       "ERROR\r\n"
#define MC_BAD_FORMAT  "CLIENT_ERROR bad command line format\r\n"
#define MC_BAD_CHUNK   "CLIENT_ERROR bad data chunk\r\n"
#define MC_BAD_EXPTIME "CLIENT_ERROR invalid exptime argument\r\n"
#define MC_BAD_DELTA   "CLIENT_ERROR invalid numeric delta argument\r\n"

enum mc_verb {
	MC_SET,
	MC_ADD,
	MC_REPLACE,
	MC_APPEND,
	MC_PREPEND,
	MC_CAS,
	MC_INCR,
	MC_DECR,
	MC_TOUCH,
	MC_DELETE,
	MC_FLUSH_ALL,
	MC_STATS,
	MC_VERSION,
	MC_VERBOSITY,
	MC_QUIT,
	MC_GET,
	MC_GETS,
	MC_GAT,
	MC_GATS,
};

struct mc_cmd {
	enum mc_verb verb;
	bool noreply;
	uint8_t key_len;
	const char *key; /* inside the line; stats: its argument, or NULL */
	uint32_t flags;
	int64_t exptime; /* s; flush_all: the delay, 0 without */
	uint32_t size;   /* bytes of the data block, without its end */
	uint64_t number; /* cas unique, delta */
};

/* A line without its end, which may be no list of keys. NULL and *cmd, or the answer. */
const char *mc_parse(const char *line, size_t len, struct mc_cmd *cmd);
/* Whether the word is a command that a list of keys follows. */
bool mc_takes_keys(const char *word, size_t len, enum mc_verb *verb);
bool mc_key_ok(const char *key, size_t len);
bool mc_parse_exptime(const char *word, size_t len, int64_t *exptime);
/* A decimal number of digits only. */
bool mc_parse_u64(const char *word, size_t len, uint64_t max, uint64_t *number);

#endif
