/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/api.h"
#include "daemon/api/openapi.h"
#include "daemon/cgroup.h"
#include "daemon/core.h"
#include "daemon/instance/instance.h"
#include "daemon/pool.h"

#include <string.h>
#include <sys/statvfs.h>

#define API_VERSION "1"

void system_healthz(struct httpd_req *req)
{
	answer_json(req, 200, json_pack("{s:s}", "status", "ok"));
}

void system_readyz(struct httpd_req *req)
{
	const struct core *core = api_core(req);

	if (core->ending) {
		answer_retry(req, 503, "unavailable", 10, "the manager is ending");
		return;
	}
	if (pools_full(core->pools)) {
		answer_json(req, 200, json_pack("{s:s}", "status", "ok"));
		return;
	}
	for (const struct pool *p = pools_first(core->pools); p; p = p->next) {
		if (p->last_error[0]) {
			answer_retry(req, 503, "unavailable", 1,
				"the pool's profile %s can not be filled: %s", p->name,
				p->last_error);
			return;
		}
	}
	answer_retry(req, 503, "unavailable", 1, "the pool is being filled");
}

void system_version(struct httpd_req *req)
{
	answer_json(req, 200,
		json_pack("{s:s, s:s}", "version", UIGNITER_VERSION, "api_version", API_VERSION));
}

static json_t *monitors_json(const struct core *core)
{
	json_t *list = json_array();

	for (size_t i = 0; monitors[i]; i++) {
		struct err err = {0};
		bool usable = monitors[i]->probe(core, &err) == 0;

		json_array_append_new(list,
			json_pack("{s:s, s:b, s:s?}", "name", monitors[i]->name, "usable",
				(int)usable, "detail", usable ? NULL : err.msg));
	}
	return list;
}

static json_t *state_json(const struct core *core)
{
	struct statvfs st;
	json_int_t free_mib = 0;

	if (statvfs(core->config.state_dir, &st) == 0)
		free_mib = (json_int_t)((uint64_t)st.f_bavail * st.f_frsize / MIB);
	return json_pack("{s:s, s:I}", "dir", core->config.state_dir, "free_mib", free_mib);
}

void system_info(struct httpd_req *req)
{
	const struct core *core = api_core(req);
	const struct config *config = &core->config;
	const struct subnet *subnet = network_subnet(core->network);
	char gateway[IPV4_TEXT_BYTES], subnet6[IPV6_TEXT_BYTES + 4];

	subnet6_format(network_subnet6(core->network), subnet6);
	ipv4_format(subnet_gateway(subnet), gateway);
	answer_json(req, 200,
		json_pack("{s:s, s:s, s:o, s:s?, s:s?, s:o, s:s, s:s, s:s, s:s, s:i, s:i, s:o}",
			"version", UIGNITER_VERSION, "monitor", core->monitor->name, "monitors",
			monitors_json(core), "listen", config->listen_port ? config->listen : NULL,
			"netns", config->netns, "state", state_json(core), "bridge", NETWORK_BRIDGE,
			"subnet", config->subnet_text, "subnet6", subnet6, "gateway", gateway,
			"vms", (int)instances_count(core->instances), "addresses_free",
			(int)network_free_addresses(core->network), "cgroup",
			cgroups_json(core->cgroups)));
}

void system_openapi(struct httpd_req *req)
{
	httpd_reply(req, 200, "application/json", openapi_json, openapi_json_bytes);
}
