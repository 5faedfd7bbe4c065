/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor/args.h"

#include "daemon/monitor/monitor.h"
#include "daemon/volume.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies one word without its quotes; where the line goes on, or NULL when a quote is open. */
static const char *copy_word(const char *p, char **out)
{
	bool quoted = false;
	char *o = *out;

	for (; *p && (quoted || !is_blank(*p)); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*o++ = *p;
	}
	*o++ = '\0';
	*out = o;
	return quoted ? NULL : p;
}

/* One allocation: the pointers, then the words. A word and its NUL never take more than they took in the line. */
int args_split(const char *line, char ***out, struct err *err)
{
	size_t head = (ARGS_WORDS_MAX + 1) * sizeof(char *);
	char **words = malloc(head + strlen(line) + 1);
	char *text;
	int n = 0;

	if (!words)
		return err_sys(err, ENOMEM, "command line");
	text = (char *)words + head;
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line)
			break;
		if (n == ARGS_WORDS_MAX) {
			free(words);
			return err_set(err, E2BIG, "more than %d words", ARGS_WORDS_MAX);
		}
		words[n++] = text;
		line = copy_word(line, &text);
		if (!line) {
			free(words);
			return err_set(err, EINVAL, "a quote is open at the end");
		}
	}
	words[n] = NULL;
	*out = words;
	return n;
}

void args_free(char **words)
{
	free(words);
}

static bool needs_quotes(const char *word)
{
	return !*word || strpbrk(word, " \t\n\r\"\\");
}

int args_add(struct buf *line, const char *word)
{
	int r = line->len ? buf_addstr(line, " ") : 0;

	if (r < 0 || !needs_quotes(word))
		return r < 0 ? r : buf_addstr(line, word);
	r = buf_addstr(line, "\"");
	for (; *word && r == 0; word++) {
		if (*word == '"' || *word == '\\')
			r = buf_addstr(line, "\\");
		if (r == 0)
			r = buf_add(line, word, 1);
	}
	return r < 0 ? r : buf_addstr(line, "\"");
}

char *args_join(char *const *words)
{
	struct buf line;
	int r = 0;

	buf_init(&line, 0);
	for (; words && *words && r == 0; words++)
		r = args_add(&line, *words);
	if (r == 0 && !line.data)
		r = buf_addstr(&line, "");
	if (r < 0)
		buf_fini(&line);
	return line.data;
}

static int add_option(struct buf *line, const char *name, const char *value)
{
	char *word;
	int r;

	if (asprintf(&word, "%s=%s", name, value) < 0)
		return -ENOMEM;
	r = args_add(line, word);
	free(word);
	return r;
}

/* The addresses are the first words: the monitor takes from there what the guest may send with. */
static int add_addresses(const struct network *net, const struct lease *lease, struct buf *line)
{
	const struct subnet *subnet = network_subnet(net);
	const struct subnet6 *subnet6 = network_subnet6(net);
	char ip[IPV4_TEXT_BYTES], gateway[IPV4_TEXT_BYTES], ip6[IPV6_TEXT_BYTES],
		gateway6[IPV6_TEXT_BYTES], mac[MAC_TEXT_BYTES];
	uint8_t first[IPV6_BYTES];
	int r;

	ipv4_format(lease->ip, ip);
	ipv4_format(subnet_gateway(subnet), gateway);
	r = buf_printf(line, "ip=%s/%u", ip, subnet->prefix);
	if (r == 0 && subnet6->on) {
		ipv6_format(lease->ip6, ip6);
		r = buf_printf(line, " ip6=%s/%d", ip6, SUBNET6_PREFIX);
	}
	mac_format(network_gateway_mac(net), mac); /* nobody has to ask for it */
	r = r < 0 ? r : buf_printf(line, " gw=%s gwmac=%s", gateway, mac);
	if (r == 0 && subnet6->on) {
		subnet6_gateway(subnet6, first);
		ipv6_format(first, gateway6);
		r = buf_printf(line, " gw6=%s nd6=static", gateway6);
	}
	return r;
}

/* mount=TAG:TARGET[:ro] for each folder. */
static int add_mounts(const json_t *volumes, struct buf *line)
{
	json_t *volume;
	size_t i;
	int r = 0;

	json_array_foreach(volumes, i, volume)
	{
		char tag[VOLUME_TAG_BYTES], word[VOLUME_TARGET_MAX_BYTES + 32];

		if (volume_is_disk(volume) || r < 0)
			continue;
		volume_tag((unsigned)i, tag);
		snprintf(word, sizeof(word), "mount=%s:%s%s", tag, volume_target(volume),
			volume_is_read_only(volume) ? ":ro" : "");
		r = args_add(line, word);
	}
	return r;
}

static int add_all(const struct network *net, const struct lease *lease,
	const struct start_spec *spec, struct buf *line)
{
	char gateway[IPV4_TEXT_BYTES];
	int r = add_addresses(net, lease, line);

	ipv4_format(subnet_gateway(network_subnet(net)), gateway);
	r = r < 0 ? r : add_option(line, "hostname", spec->hostname);
	if (r == 0 && spec->search) {
		r = buf_printf(line, " dns=%s", gateway);
		r = r < 0 ? r : add_option(line, "search", spec->search);
	}
	if (r == 0 && spec->trace)
		r = add_option(line, "trace", "1");
	for (char *const *e = spec->env; e && *e && r == 0; e++)
		r = add_option(line, "env", *e);
	if (r == 0)
		r = add_mounts(spec->volumes, line);
	if (r == 0 && spec->argv && spec->argv[0])
		r = args_add(line, "--");
	for (char *const *a = spec->argv; a && *a && r == 0; a++)
		r = args_add(line, *a);
	return r;
}

int args_boot(const struct network *net, const struct lease *lease, const struct start_spec *spec,
	struct buf *line, struct err *err)
{
	int r;

	line->max = ARGS_BOOT_MAX;
	r = add_all(net, lease, spec, line);
	if (r == -EMSGSIZE)
		return err_set(err, E2BIG,
			"environment and arguments have more than %d bytes together",
			ARGS_BOOT_MAX);
	return r < 0 ? err_sys(err, -r, "boot line") : 0;
}
