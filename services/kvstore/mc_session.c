/* SPDX-License-Identifier: Apache-2.0 */
/* The states first: how bytes become commands; what commands do is in mc_store.c. */
#include "services/kvstore/mc_session_impl.h"

#include <string.h>

/* What one buffer keeps when it is empty. */
#define OUT_KEEP_BYTES (16 * KIB)

void mc_session_init(struct mc_session *s, struct mc_shared *shared)
{
	*s = (struct mc_session){.shared = shared};
}

/* shared->buffered follows what this session holds. */
static void charge(struct mc_session *s)
{
	size_t held = s->out.cap + (s->item ? s->item->size : 0);

	s->shared->buffered = s->shared->buffered - s->charged + held;
	s->charged = held;
}

void mc_session_fini(struct mc_session *s)
{
	item_free(steal_ptr(&s->item));
	buf_fini(&s->out);
	s->out = (struct buf){0};
	charge(s);
}

size_t mc_session_waiting(const struct mc_session *s)
{
	return s->out.len - s->sent;
}

void mc_session_sent(struct mc_session *s, size_t len)
{
	s->sent += len;
	s->shared->n.bytes_written += len;
	if (s->sent < s->out.len)
		return;
	s->sent = s->out.len = 0;
	if (s->out.cap > OUT_KEEP_BYTES) {
		buf_fini(&s->out);
		s->out = (struct buf){0};
	}
	charge(s);
}

void mc_say_bytes(struct mc_session *s, const char *data, size_t len)
{
	if (buf_add(&s->out, data, len) < 0)
		s->quit = true;
	charge(s);
}

void mc_say(struct mc_session *s, const char *text)
{
	mc_say_bytes(s, text, strlen(text));
}

bool mc_fits(const struct mc_session *s, size_t bytes)
{
	const struct mc_shared *sh = s->shared;

	return sh->buffered <= sh->buffer_max && bytes <= sh->buffer_max - sh->buffered;
}

static void to_line(struct mc_session *s)
{
	s->state = MC_IN_LINE;
	s->len = 0;
}

/* --- a data block ------------------------------------------------------------------------------------------------- */
static void swallow(struct mc_session *s, const char *why)
{
	mc_say(s, why);
	mc_refused(s);
	s->left = (uint64_t)s->cmd.size + 2;
	s->state = MC_IN_SWALLOW;
}

static void begin_data(struct mc_session *s, const struct mc_cmd *cmd)
{
	s->cmd = *cmd;
	if (cmd->size > s->shared->item_max) {
		swallow(s, "SERVER_ERROR object too large for cache\r\n");
		return;
	}
	s->item = mc_fits(s, cmd->size) ? item_new(cmd->key, cmd->key_len, cmd->size) : NULL;
	if (!s->item) {
		swallow(s, MC_NO_MEMORY);
		return;
	}
	s->cmd.key = s->item->bytes;
	s->got = 0;
	s->state = MC_IN_DATA;
	charge(s);
}

static size_t in_swallow(struct mc_session *s, size_t len)
{
	size_t n = len < s->left ? len : (size_t)s->left;

	s->left -= n;
	if (!s->left)
		to_line(s);
	return n;
}

static void end_data(struct mc_session *s)
{
	if (memcmp(s->end, "\r\n", 2) == 0)
		mc_store(s);
	else
		mc_say(s, MC_BAD_CHUNK);
	item_free(steal_ptr(&s->item));
	charge(s);
	to_line(s);
}

static size_t in_data(struct mc_session *s, const char *data, size_t len)
{
	size_t used = 0, size = s->item->size;

	if (s->got < size) {
		used = len < size - s->got ? len : size - s->got;
		memcpy(item_value(s->item) + s->got, data, used);
		s->got += used;
	}
	while (used < len && s->got >= size && s->got < size + 2)
		s->end[s->got++ - size] = data[used++];
	if (s->got == size + 2)
		end_data(s);
	return used;
}

/* --- a list of keys ----------------------------------------------------------------------------------------------- */
static void one_word(struct mc_session *s)
{
	bool gat = s->cmd.verb == MC_GAT || s->cmd.verb == MC_GATS;
	const char *why = NULL;

	if (gat && !s->has_exptime) {
		s->has_exptime = true;
		if (!mc_parse_exptime(s->line, s->len, &s->cmd.exptime))
			why = MC_BAD_EXPTIME;
	} else if (!mc_key_ok(s->line, s->len)) {
		why = MC_BAD_FORMAT;
	} else {
		s->keys++;
		why = mc_get(s, s->line, s->len);
	}
	s->len = 0;
	if (!why)
		return;
	mc_say(s, why);
	s->state = MC_IN_SKIP;
}

static void end_keys(struct mc_session *s)
{
	mc_say(s, s->keys ? "END\r\n" : MC_ERROR);
	to_line(s);
}

/* A byte that ends a word: of a list that goes on, or of its last word. */
static size_t in_keys(struct mc_session *s, const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len);
	const char *space = memchr(data, ' ', end ? (size_t)(end - data) : len);
	size_t n = space ? (size_t)(space - data) : end ? (size_t)(end - data) : len;

	if (s->len + n > CACHE_KEY_MAX_BYTES + 1) { /* 1: a \r */
		mc_say(s, MC_BAD_FORMAT);
		s->state = MC_IN_SKIP;
		return 0;
	}
	memcpy(s->line + s->len, data, n);
	s->len += n;
	if (n == len)
		return n;
	if (!space && s->len && s->line[s->len - 1] == '\r')
		s->len--;
	if (s->len)
		one_word(s);
	if (s->state == MC_IN_SKIP)
		return n; /* which takes the end of the line */
	if (!space)
		end_keys(s);
	return n + 1;
}

static size_t in_skip(struct mc_session *s, const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len);

	if (!end)
		return len;
	to_line(s);
	return (size_t)(end - data) + 1;
}

/* --- a line ------------------------------------------------------------------------------------------------------- */
static void one_line(struct mc_session *s)
{
	const char *why;
	struct mc_cmd cmd;
	size_t len = s->len;

	if (len && s->line[len - 1] == '\r')
		len--;
	to_line(s);
	why = mc_parse(s->line, len, &cmd);
	if (why)
		mc_say(s, why);
	else if (cmd.verb <= MC_CAS)
		begin_data(s, &cmd);
	else
		mc_run(s, &cmd);
}

/* The first word is complete: a list of keys is read word by word from here. */
static bool keys_begin(struct mc_session *s)
{
	if (!mc_takes_keys(s->line, s->len, &s->cmd.verb))
		return false;
	s->state = MC_IN_KEYS;
	s->len = s->keys = 0;
	s->has_exptime = false;
	return true;
}

static size_t in_line(struct mc_session *s, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			one_line(s);
			return i + 1;
		}
		if (data[i] == ' ' && s->len && s->len <= 4 && keys_begin(s))
			return i + 1;
		if (s->len == 0 && data[i] == ' ')
			continue;
		if (s->len == sizeof(s->line)) {
			mc_say(s, "CLIENT_ERROR line too long\r\n");
			s->state = MC_IN_SKIP;
			return i;
		}
		s->line[s->len++] = data[i];
	}
	return len;
}

/* When all together hold too much, a client gets one answer at a time. */
static size_t out_high(const struct mc_shared *sh)
{
	return sh->buffered > sh->buffer_max ? 1 : MC_OUT_HIGH_BYTES;
}

size_t mc_session_feed(struct mc_session *s, const char *data, size_t len)
{
	size_t used = 0;

	while (used < len && !s->quit && mc_session_waiting(s) < out_high(s->shared)) {
		const char *p = data + used;
		size_t left = len - used;

		switch (s->state) {
		case MC_IN_LINE:
			used += in_line(s, p, left);
			break;
		case MC_IN_KEYS:
			used += in_keys(s, p, left);
			break;
		case MC_IN_DATA:
			used += in_data(s, p, left);
			break;
		case MC_IN_SWALLOW:
			used += in_swallow(s, left);
			break;
		case MC_IN_SKIP:
			used += in_skip(s, p, left);
			break;
		}
	}
	s->shared->n.bytes_read += used;
	return used;
}
