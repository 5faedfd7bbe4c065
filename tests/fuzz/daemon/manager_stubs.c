/* SPDX-License-Identifier: Apache-2.0 */
/* What the parsers of requests call of the rest of the manager, and is not reached or not of interest: which monitors and policies there
 * are, and the network of a boot line. */
#include "daemon/api/run_request.h"

#include <string.h>

const char *const restart_policy_names[] = {"no", "on-failure", "always", "unless-stopped", NULL};

const struct monitor_ops *monitor_find(const char *name)
{
	static const struct monitor_ops ops;

	return strcmp(name, "process") == 0 ? &ops : NULL;
}

const struct subnet *network_subnet(const struct network *net)
{
	(void)net;
	return NULL;
}

const uint8_t *network_gateway_mac(const struct network *net)
{
	static const uint8_t mac[MAC_BYTES] = {2};

	(void)net;
	return mac;
}

const struct subnet6 *network_subnet6(const struct network *net)
{
	(void)net;
	return NULL;
}
