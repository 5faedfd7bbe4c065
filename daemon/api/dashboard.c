/* SPDX-License-Identifier: Apache-2.0 */
/* The files of web/dashboard/ are in the program: the assembler puts them there. */
#include "daemon/api/dashboard.h"

#include "daemon/api/api.h"
#include "daemon/core.h"

#include <string.h>

#define EMBED(name, file)                                                                          \
	__asm__(".section .rodata\n"                                                               \
		".global dashboard_" #name "\n"                                                    \
		"dashboard_" #name ":\n"                                                           \
		".incbin \"" WEB_DIR "/" file "\"\n"                                               \
		".global dashboard_" #name "_end\n"                                                \
		"dashboard_" #name "_end:\n"                                                       \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char dashboard_##name[], dashboard_##name##_end[]

EMBED(index, "index.html");
EMBED(css, "app.css");
EMBED(app, "app.js");

static void answer_file(struct httpd_req *req, const char *type, const char *start, const char *end)
{
	httpd_add_header(req, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
		"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	httpd_add_header(req, "Referrer-Policy", "no-referrer");
	httpd_add_header(req, "Cache-Control", "no-cache");
	httpd_reply(req, 200, type, start, (size_t)(end - start));
}

static void get_index(struct httpd_req *req)
{
	answer_file(req, "text/html; charset=utf-8", dashboard_index, dashboard_index_end);
}

static void get_css(struct httpd_req *req)
{
	answer_file(req, "text/css; charset=utf-8", dashboard_css, dashboard_css_end);
}

static void get_app(struct httpd_req *req)
{
	answer_file(req, "text/javascript; charset=utf-8", dashboard_app, dashboard_app_end);
}

/* A name of another site that was made to point here (rebinding) has a foreign Host; a request that another site's page makes says so. */
static void guard(struct httpd_req *req)
{
	const char *site = httpd_header(req, "Sec-Fetch-Site");

	httpd_add_header(req, "X-Content-Type-Options", "nosniff");
	api_guard(req);
	if (!httpd_status(req) && site && strcmp(site, "same-origin") != 0 &&
		strcmp(site, "none") != 0)
		answer_problem(req, 403, "forbidden", "a page of another site may not ask this");
}

const struct httpd_route dashboard_routes[] = {
	{.method = "GET", .pattern = "/", .handler = get_index, .begin = guard},
	{.method = "GET", .pattern = "/app.css", .handler = get_css, .begin = guard},
	{.method = "GET", .pattern = "/app.js", .handler = get_app, .begin = guard},
	{.method = "GET", .pattern = "/vm", .handler = vm_list, .begin = guard},
	{.method = "GET", .pattern = "/pool", .handler = pool_list, .begin = guard},
	{.method = "GET", .pattern = "/image", .handler = image_list, .begin = guard},
	{.method = "GET", .pattern = "/operation", .handler = operation_list, .begin = guard},
	{.method = "GET", .pattern = "/events", .handler = events_get, .begin = guard},
	{.method = "GET", .pattern = "/info", .handler = system_info, .begin = guard},
};
const size_t dashboard_route_count = ARRAY_SIZE(dashboard_routes);
