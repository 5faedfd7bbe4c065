/* SPDX-License-Identifier: Apache-2.0 */
/* Words are parted by spaces; each command has a shape, which one function reads. */
#include "services/kvstore/mc_line.h"

#include "lib/util.h"
#include "services/kvstore/cache.h"

#include <string.h>

#define WORDS_MAX 8
/* Above the data block's length, memcached's own parser gives up as well. */
#define SIZE_MAX_BYTES INT32_MAX

struct word {
	const char *s;
	size_t len;
};

struct words {
	struct word w[WORDS_MAX];
	size_t count; /* WORDS_MAX: too many */
};

struct shape {
	const char *name;
	const char *(*parse)(const struct words *words, struct mc_cmd *cmd);
};

static void split(const char *line, size_t len, struct words *words)
{
	const char *end = line + len;

	words->count = 0;
	while (words->count < WORDS_MAX) {
		const char *p = line;

		while (p < end && *p == ' ')
			p++;
		if (p == end)
			return;
		line = memchr(p, ' ', (size_t)(end - p)) ?: end;
		words->w[words->count++] = (struct word){p, (size_t)(line - p)};
	}
}

static bool is(const struct word *w, const char *s)
{
	return w->len == strlen(s) && memcmp(w->s, s, w->len) == 0;
}

bool mc_parse_u64(const char *s, size_t len, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint64_t digit = (unsigned char)s[i] - (uint64_t)'0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > max)
		return false;
	*number = n;
	return true;
}

static bool parse_i64(const char *s, size_t len, int64_t *number)
{
	bool minus = len && *s == '-';
	uint64_t n;

	if (!mc_parse_u64(s + minus, len - minus, INT64_MAX, &n))
		return false;
	*number = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

bool mc_parse_exptime(const char *s, size_t len, int64_t *exptime)
{
	return parse_i64(s, len, exptime);
}

bool mc_key_ok(const char *key, size_t len)
{
	if (!len || len > CACHE_KEY_MAX_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)key[i];

		if (c <= ' ' || c == 0x7f)
			return false;
	}
	return true;
}

static bool take_key(const struct word *w, struct mc_cmd *cmd)
{
	if (!mc_key_ok(w->s, w->len))
		return false;
	cmd->key = w->s;
	cmd->key_len = (uint8_t)w->len;
	return true;
}

/* Whether all words are used, noreply at their end included. */
static bool take_end(const struct words *words, size_t at, struct mc_cmd *cmd)
{
	cmd->noreply = words->count == at + 1 && is(&words->w[at], "noreply");
	return words->count == at + cmd->noreply;
}

/* VERB key flags exptime bytes [cas] [noreply] */
static const char *parse_store(const struct words *words, struct mc_cmd *cmd)
{
	const struct word *w = words->w;
	size_t need = cmd->verb == MC_CAS ? 6 : 5;
	uint64_t flags, size;

	if (words->count < need || words->count > need + 1)
		return MC_ERROR;
	if (!take_key(&w[1], cmd) || !mc_parse_u64(w[2].s, w[2].len, UINT32_MAX, &flags) ||
		!mc_parse_exptime(w[3].s, w[3].len, &cmd->exptime))
		return MC_BAD_FORMAT;
	if (!mc_parse_u64(w[4].s, w[4].len, SIZE_MAX_BYTES, &size))
		return MC_BAD_FORMAT;
	if (need == 6 && !mc_parse_u64(w[5].s, w[5].len, UINT64_MAX, &cmd->number))
		return MC_BAD_FORMAT;
	cmd->flags = (uint32_t)flags;
	cmd->size = (uint32_t)size;
	return take_end(words, need, cmd) ? NULL : MC_BAD_FORMAT;
}

/* incr|decr key delta [noreply] */
static const char *parse_delta(const struct words *words, struct mc_cmd *cmd)
{
	if (words->count < 3 || words->count > 4)
		return MC_ERROR;
	if (!take_key(&words->w[1], cmd))
		return MC_BAD_FORMAT;
	if (!mc_parse_u64(words->w[2].s, words->w[2].len, UINT64_MAX, &cmd->number))
		return MC_BAD_DELTA;
	return take_end(words, 3, cmd) ? NULL : MC_BAD_FORMAT;
}

/* touch key exptime [noreply] */
static const char *parse_touch(const struct words *words, struct mc_cmd *cmd)
{
	if (words->count < 3 || words->count > 4)
		return MC_ERROR;
	if (!take_key(&words->w[1], cmd))
		return MC_BAD_FORMAT;
	if (!mc_parse_exptime(words->w[2].s, words->w[2].len, &cmd->exptime))
		return MC_BAD_EXPTIME;
	return take_end(words, 3, cmd) ? NULL : MC_BAD_FORMAT;
}

/* delete key [0] [noreply]: the 0 is what is left of a time that old clients gave. */
static const char *parse_delete(const struct words *words, struct mc_cmd *cmd)
{
	if (words->count < 2 || words->count > 4)
		return MC_ERROR;
	if (!take_key(&words->w[1], cmd))
		return MC_BAD_FORMAT;
	return take_end(words, words->count > 2 && is(&words->w[2], "0") ? 3 : 2, cmd)
		? NULL
		: "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
}

/* flush_all [delay] [noreply] */
static const char *parse_flush(const struct words *words, struct mc_cmd *cmd)
{
	size_t at = 1;

	if (words->count > 3)
		return MC_ERROR;
	if (words->count > 1 && !is(&words->w[1], "noreply")) {
		if (!mc_parse_exptime(words->w[1].s, words->w[1].len, &cmd->exptime))
			return MC_BAD_EXPTIME;
		at = 2;
	}
	return take_end(words, at, cmd) ? NULL : MC_BAD_FORMAT;
}

/* verbosity level [noreply]; with noreply memcached is silent whatever the level is, and so is this. */
static const char *parse_verbosity(const struct words *words, struct mc_cmd *cmd)
{
	if (words->count < 2 || words->count > 3)
		return MC_ERROR;
	if (take_end(words, words->count - 1, cmd) && cmd->noreply)
		return NULL;
	if (words->count == 3)
		return MC_ERROR;
	if (!mc_parse_u64(words->w[1].s, words->w[1].len, UINT32_MAX, &cmd->number))
		return MC_BAD_FORMAT;
	return NULL;
}

static const char *parse_stats(const struct words *words, struct mc_cmd *cmd)
{
	if (words->count > 2)
		return MC_ERROR;
	if (words->count == 2 && !take_key(&words->w[1], cmd))
		return MC_BAD_FORMAT;
	return NULL;
}

static const char *parse_alone(const struct words *words, struct mc_cmd *cmd)
{
	(void)cmd;
	return words->count == 1 ? NULL : MC_ERROR;
}

static const struct shape shapes[] = {
	[MC_SET] = {"set", parse_store},
	[MC_ADD] = {"add", parse_store},
	[MC_REPLACE] = {"replace", parse_store},
	[MC_APPEND] = {"append", parse_store},
	[MC_PREPEND] = {"prepend", parse_store},
	[MC_CAS] = {"cas", parse_store},
	[MC_INCR] = {"incr", parse_delta},
	[MC_DECR] = {"decr", parse_delta},
	[MC_TOUCH] = {"touch", parse_touch},
	[MC_DELETE] = {"delete", parse_delete},
	[MC_FLUSH_ALL] = {"flush_all", parse_flush},
	[MC_STATS] = {"stats", parse_stats},
	[MC_VERSION] = {"version", parse_alone},
	[MC_VERBOSITY] = {"verbosity", parse_verbosity},
	[MC_QUIT] = {"quit", parse_alone},
	[MC_GET] = {"get", NULL},
	[MC_GETS] = {"gets", NULL},
	[MC_GAT] = {"gat", NULL},
	[MC_GATS] = {"gats", NULL},
};

bool mc_takes_keys(const char *word, size_t len, enum mc_verb *verb)
{
	const struct word w = {word, len};

	for (size_t i = MC_GET; i < ARRAY_SIZE(shapes); i++) {
		if (is(&w, shapes[i].name)) {
			*verb = (enum mc_verb)i;
			return true;
		}
	}
	return false;
}

const char *mc_parse(const char *line, size_t len, struct mc_cmd *cmd)
{
	const char *why = MC_ERROR;
	struct words words;

	*cmd = (struct mc_cmd){0};
	split(line, len, &words);
	for (size_t i = 0; words.count && i < ARRAY_SIZE(shapes); i++) {
		if (!shapes[i].parse || !is(&words.w[0], shapes[i].name))
			continue;
		cmd->verb = (enum mc_verb)i;
		why = shapes[i].parse(&words, cmd);
		break;
	}
	/* cppcheck-suppress returnDanglingLifetime ; a constant text, it does not lie in words */
	return why;
}
