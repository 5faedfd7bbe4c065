/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dashboard: a page on a port of its own (browsers refuse that of the API), and those lists of the API that it shows, read only. Only
 * pages of that very address may ask: its Host is on loopback, and nothing comes from another site.
 */
#ifndef DAEMON_API_DASHBOARD_H
#define DAEMON_API_DASHBOARD_H

#include "lib/httpd.h"

extern const struct httpd_route dashboard_routes[];
extern const size_t dashboard_route_count;

#endif
