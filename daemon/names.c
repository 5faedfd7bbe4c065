/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/names.h"

#include "daemon/core.h"
#include "daemon/instance/instance.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define DNS_PORT 53

struct names {
	struct dns *dns;
};

static const char *label_of(const struct instance *i, const char *key)
{
	return json_string_value(json_object_get(i->labels, key));
}

/* It has its address until its end. */
static bool has_address(const struct instance *i)
{
	return i->shell && i->state != VM_CREATED && !instance_has_ended(i);
}

static void set_add(struct dns_set *set, const struct instance *i)
{
	if (set->count < DNS_ADDRESSES_MAX)
		set->ip[set->count++] = i->ip;
}

/* Whose names are found: a network's ("": that of all), or all (NULL). An address that nobody has, or has not any more, is of no network
 * of its own. */
static const char *network_of(const struct core *core, uint32_t ip)
{
	if (ip == subnet_gateway(&core->config.subnet))
		return NULL;
	for (const struct instance *i = instances_first(core->instances); i; i = i->next) {
		if (has_address(i) && i->ip == ip)
			return i->network;
	}
	return "";
}

static bool is_seen(const struct instance *i, const char *network)
{
	return !instance_is_gone(i) && (!network || strcmp(i->network, network) == 0);
}

/* The instance of this name. Whether there is one. */
static bool find_instance(const struct core *core, const char *network, const char *name,
	size_t len, struct dns_set *set)
{
	for (const struct instance *i = instances_first(core->instances); i; i = i->next) {
		if (strncmp(i->name, name, len) != 0 || i->name[len] || !is_seen(i, network))
			continue;
		if (!has_address(i))
			return false;
		set_add(set, i);
		return true;
	}
	return false;
}

/* A label is compared without regard to case: names of DNS have none. */
static bool label_is(const char *label, const char *text, size_t len)
{
	return label && strncasecmp(label, text, len) == 0 && !label[len];
}

/* Whether the name is SERVICE.APP of its labels, or APP alone. */
static bool is_replica(const struct instance *i, const char *name, size_t len)
{
	const char *service = label_of(i, NAMES_LABEL_SERVICE);
	size_t n = service ? strlen(service) : 0;

	if (label_is(label_of(i, NAMES_LABEL_APP), name, len))
		return true;
	return n && n < len && name[n] == '.' && label_is(service, name, n) &&
		label_is(label_of(i, NAMES_LABEL_APP), name + n + 1, len - n - 1);
}

/* The replicas of SERVICE.APP, or all of APP. Whether there are any, up or not. */
static bool find_service(const struct core *core, const char *network, const char *name, size_t len,
	struct dns_set *set)
{
	bool any = false, ready = false;

	for (const struct instance *i = instances_first(core->instances); i; i = i->next) {
		if (!is_seen(i, network) || !is_replica(i, name, len))
			continue;
		any = true;
		if (i->state != VM_RUNNING || i->ready < ready)
			continue;
		if (i->ready > ready)
			set->count = 0; /* those before were not */
		ready = i->ready;
		set_add(set, i);
	}
	return any;
}

static int find_pointer(
	const struct core *core, const char *network, uint32_t ip, struct dns_set *set)
{
	for (const struct instance *i = instances_first(core->instances); i; i = i->next) {
		if (!has_address(i) || i->ip != ip || !is_seen(i, network))
			continue;
		snprintf(set->pointer, sizeof(set->pointer), "%s." NAMES_SUFFIX, i->name);
		return DNS_NOERROR;
	}
	return subnet_overlaps(&core->config.subnet, ip, 32) ? DNS_NXDOMAIN : DNS_REFUSED;
}

/* Length of what stands before ".uigniter"; -1 when the name does not end so. */
static int before_suffix(const char *name)
{
	static const char suffix[] = "." NAMES_SUFFIX;
	size_t len = strlen(name), n = sizeof(suffix) - 1;

	return len > n && strcmp(name + len - n, suffix) == 0 ? (int)(len - n) : -1;
}

int names_lookup(void *arg, uint32_t ip, const char *name, struct dns_set *set)
{
	const struct core *core = arg;
	const char *network = network_of(core, ip);
	int len = before_suffix(name);
	uint32_t asked;

	if (dns_reverse_parse(name, &asked) == 0)
		return find_pointer(core, network, asked, set);
	if (strcmp(name, NAMES_SUFFIX) == 0)
		return DNS_NOERROR; /* it is there, and has no records of the kinds that we know */
	if (len > 0)
		return find_instance(core, network, name, (size_t)len, set) ||
				find_service(core, network, name, (size_t)len, set)
			? DNS_NOERROR
			: DNS_NXDOMAIN;
	if (!*name || strchr(name, '.'))
		return DNS_REFUSED;
	return find_instance(core, network, name, strlen(name), set) ? DNS_NOERROR : DNS_NXDOMAIN;
}

void names_search(const struct instance *i, char *out, size_t size)
{
	const char *app = label_of(i, NAMES_LABEL_APP);

	if (app && name_is_valid(app))
		snprintf(out, size, "%s." NAMES_SUFFIX "," NAMES_SUFFIX, app);
	else
		snprintf(out, size, "%s", NAMES_SUFFIX);
}

/* --------------------------------------------------------------------------------------------------------------- */
int names_new(struct core *core, struct names **out, struct err *err)
{
	struct dns_config config = {.loop = core->loop,
		.subnet = core->config.subnet,
		.lookup = names_lookup,
		.arg = core};
	_cleanup_close_ int udp = network_bind(core->network, SOCK_DGRAM, DNS_PORT);
	_cleanup_close_ int tcp = network_bind(core->network, SOCK_STREAM, DNS_PORT);
	_cleanup_free_ struct names *names = calloc(1, sizeof(*names));
	int r = udp < 0 ? udp : tcp;

	if (r < 0)
		return err_sys(err, -r, "cannot take port %d of the bridge", DNS_PORT);
	config.udp = udp;
	config.tcp = tcp;
	r = names ? dns_new(&config, &names->dns) : -ENOMEM;
	if (r < 0)
		return err_sys(err, -r, "names");
	steal_fd(&udp);
	steal_fd(&tcp);
	*out = steal_ptr(&names);
	return 0;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	dns_free(names->dns);
	free(names);
}

const struct dns_counters *names_counters(const struct names *names)
{
	return dns_counters(names->dns);
}
