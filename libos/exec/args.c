/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of abi/identity.h. Words are cut out in place: a quoted word is never longer than its text. A line may come from anyone
 * who can start an instance, so all counts are limited; text is one page of the identity or less.
 */
#include "libos/exec/args.h"

#include "libos/arch/x86_64/patch.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/klib/string.h"

struct args boot_args = {.patch_after = PATCH_AFTER};

/* Takes the next word off *text: NULL at the end; *bad when its quotes do not close. */
static char *next_word(char **text, bool *bad)
{
	char *in = *text, *out, *word;
	bool quoted = false;

	while (*in == ' ' || *in == '\t' || *in == '\n' || *in == '\r')
		in++;
	if (!*in)
		return NULL;
	word = out = in;
	for (; *in; in++) {
		if (!quoted && (*in == ' ' || *in == '\t' || *in == '\n' || *in == '\r'))
			break;
		if (*in == '"')
			quoted = !quoted;
		else if (quoted && *in == '\\' && (in[1] == '"' || in[1] == '\\'))
			*out++ = *++in;
		else
			*out++ = *in;
	}
	*bad = quoted;
	*text = *in ? in + 1 : in;
	*out = 0;
	return word;
}

static int parse_address(const char **p, uint32_t *addr)
{
	uint32_t v = 0;
	uint64_t part;

	for (unsigned i = 0; i < 4; i++) {
		if (i && *(*p)++ != '.')
			return -EINVAL;
		if (parse_u64(p, &part) || part > 255)
			return -EINVAL;
		v |= (uint32_t)part << 8 * i; /* network byte order */
	}
	*addr = v;
	return 0;
}

static int parse_host(const char *p, uint32_t *addr)
{
	uint32_t v;

	if (parse_address(&p, &v) || *p)
		return -EINVAL;
	*addr = v;
	return 0;
}

static int parse_ip(const char *p, struct net_config *net)
{
	uint64_t prefix;
	uint32_t ip;

	if (parse_address(&p, &ip) || *p++ != '/' || parse_u64(&p, &prefix) || prefix > 32 || *p)
		return -EINVAL;
	net->ip = ip;
	net->mask = prefix ? __builtin_bswap32(~0u << (32 - prefix)) : 0;
	return 0;
}

#define NO_GAP 17u

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An IPv6 address as RFC 4291, 2.2 writes it, without the form that ends in an IPv4 address; *p is moved behind it. */
static int parse_address6(const char **p, uint8_t addr[16])
{
	const char *c = *p;
	uint8_t bytes[16] = {0};
	unsigned n = 0, tail = NO_GAP; /* bytes so far; where :: stood */

	if (c[0] == ':' && c[1] == ':') {
		tail = 0;
		c += 2;
	}
	while (hex_digit(*c) >= 0) {
		unsigned v = 0, digits = 0;

		for (; hex_digit(*c) >= 0; c++) {
			if (++digits > 4)
				return -EINVAL;
			v = v << 4 | (unsigned)hex_digit(*c);
		}
		if (n == 16)
			return -EINVAL;
		bytes[n++] = (uint8_t)(v >> 8);
		bytes[n++] = (uint8_t)v;
		if (*c != ':')
			break;
		c++;
		if (*c == ':') {
			if (tail != NO_GAP)
				return -EINVAL;
			tail = n;
			c++;
		} else if (hex_digit(*c) < 0) {
			return -EINVAL;
		}
	}
	if (tail == NO_GAP ? n != 16 : n > 14)
		return -EINVAL;
	memset(addr, 0, 16);
	if (tail == NO_GAP)
		tail = n;
	memcpy(addr, bytes, tail);
	memcpy(addr + 16 - (n - tail), bytes + tail, n - tail);
	*p = c;
	return 0;
}

static int parse_host6(const char *p, uint8_t addr[16])
{
	uint8_t a[16];

	if (parse_address6(&p, a) || *p)
		return -EINVAL;
	memcpy(addr, a, sizeof(a));
	return 0;
}

static int parse_ip6(const char *p, struct net_config *net)
{
	uint64_t prefix;
	uint8_t a[16];

	if (parse_address6(&p, a) || *p++ != '/' || parse_u64(&p, &prefix) || prefix > 128 || *p)
		return -EINVAL;
	memcpy(net->ip6, a, sizeof(a));
	net->prefix6 = (uint8_t)prefix;
	return 0;
}

/* How the MAC of an IPv6 neighbour is found: it is in the address, or it is asked for. */
static int parse_nd6(const char *p, struct net_config *net)
{
	if (strcmp(p, "static") && strcmp(p, "ask"))
		return -EINVAL;
	net->static6 = *p == 's';
	return 0;
}

/* "02:00:00:00:00:01"; no group's. */
static int parse_mac(const char *p, uint8_t mac[6])
{
	for (unsigned i = 0; i < 6; i++, p += 3) {
		int high = hex_digit(p[0]), low = high < 0 ? high : hex_digit(p[1]);

		if (low < 0 || p[2] != (i < 5 ? ':' : 0))
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return mac[0] & 1 ? -EINVAL : 0;
}

static int parse_number(const char *p, uint64_t *value)
{
	uint64_t v;

	if (parse_u64(&p, &v) || *p)
		return -EINVAL;
	*value = v;
	return 0;
}

/* "off", "on", or after how many traps. */
static int parse_patch(const char *p, unsigned *after)
{
	uint64_t n = PATCH_AFTER;

	if (!strcmp(p, "off"))
		n = 0;
	else if (strcmp(p, "on") && (parse_number(p, &n) || n > PATCH_MAX))
		return -EINVAL;
	*after = (unsigned)n;
	return 0;
}

/* Names as DNS has them; comma: several, with commas between. */
static int parse_name(const char *p, bool comma, char *out, size_t size)
{
	size_t n = strlen(p);

	if (!n || n >= size)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		bool ok = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
			(p[i] >= '0' && p[i] <= '9') || p[i] == '-' || p[i] == '.' || p[i] == '_' ||
			(comma && p[i] == ',');

		if (!ok)
			return -EINVAL;
	}
	strlcpy(out, p, size);
	return 0;
}

/* K=V into the environment; a later one of the same name takes the place of the earlier. */
static int add_env(struct args *args, char *pair)
{
	const char *eq = strchr(pair, '=');
	int i;

	if (!eq || eq == pair)
		return -EINVAL;
	for (i = 0; i < args->envc; i++) {
		if (!strncmp(args->envp[i], pair, (size_t)(eq - pair) + 1))
			break;
	}
	if (i == ARGS_MAX_WORDS)
		return -E2BIG;
	args->envp[i] = pair;
	if (i == args->envc)
		args->envp[++args->envc] = NULL;
	return 0;
}

/* A later one of the same tag takes the place of the earlier. */
static int add_mount(struct args *args, char *text)
{
	char *place = strchr(text, ':'), *end;
	bool ro = false;
	unsigned i;

	if (!place || place == text || place[1] != '/')
		return -EINVAL;
	*place++ = 0;
	end = strrchr(place, ':');
	if (end && (!strcmp(end, ":ro") || !strcmp(end, ":rw"))) {
		ro = end[2] == 'o';
		*end = 0;
	}
	for (i = 0; i < args->nmounts; i++) {
		if (!strcmp(args->mount[i].tag, text))
			break;
	}
	if (i == ARGS_MAX_MOUNTS)
		return -E2BIG;
	args->mount[i] = (struct args_mount){.tag = text, .place = place, .read_only = ro};
	if (i == args->nmounts)
		args->nmounts++;
	return 0;
}

static int parse_option(struct args *args, char *word)
{
	char *value = strchr(word, '=');
	size_t n;

	if (!value)
		return 0;
	n = (size_t)(value++ - word);
#define IS(name) (n == sizeof(name) - 1 && !memcmp(word, name, n))
	if (IS("ip"))
		return parse_ip(value, &args->net);
	if (IS("gw"))
		return parse_host(value, &args->net.gateway);
	if (IS("gwmac"))
		return parse_mac(value, args->net.gateway_mac);
	if (IS("ip6"))
		return parse_ip6(value, &args->net);
	if (IS("gw6"))
		return parse_host6(value, args->net.gateway6);
	if (IS("nd6"))
		return parse_nd6(value, &args->net);
	if (IS("dns"))
		return parse_host(value, &args->net.dns);
	if (IS("hostname"))
		return parse_name(value, false, args->hostname, sizeof(args->hostname));
	if (IS("search"))
		return parse_name(value, true, args->search, sizeof(args->search));
	if (IS("env"))
		return add_env(args, value);
	if (IS("cwd")) {
		args->cwd = value;
		return *value == '/' ? 0 : -EINVAL;
	}
	if (IS("mount"))
		return add_mount(args, value);
	if (IS("tsc_khz"))
		return parse_number(value, &args->tsc_khz);
	if (IS("wall_ns"))
		return parse_number(value, &args->wall_ns);
	if (IS("aslr")) {
		args->no_aslr = !strcmp(value, "off") || !strcmp(value, "0");
		return 0;
	}
	if (IS("patch"))
		return parse_patch(value, &args->patch_after);
	if (IS("trace")) {
		args->trace = strcmp(value, "0");
		return 0;
	}
#undef IS
	return 0; /* for others on the same line */
}

static int parse_program(struct args *args, char *text)
{
	bool bad = false, first = true;
	char *word;

	while ((word = next_word(&text, &bad))) {
		if (bad)
			return -EINVAL;
		if (first)
			args->argc = 0;
		first = false;
		if (args->argc == ARGS_MAX_WORDS)
			return -E2BIG;
		args->argv[args->argc++] = word;
		args->argv[args->argc] = NULL;
	}
	return 0;
}

int args_parse(struct args *args, char *text)
{
	bool bad = false;
	char *word;
	int r;

	while ((word = next_word(&text, &bad))) {
		if (!bad && !strcmp(word, "--")) {
			r = parse_program(args, text);
			if (r)
				kprintf("argument line: the program's part is not good: %d", r);
			return r;
		}
		r = bad ? -EINVAL : parse_option(args, word);
		if (r) {
			kprintf("argument line: \"%s\" is not good: %d", word, r);
			return r;
		}
	}
	return 0;
}
