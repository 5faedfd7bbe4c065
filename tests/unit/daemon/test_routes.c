/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes and api/openapi.yaml (as it was built in) name the same operations, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/api/api.h"
#include "daemon/api/openapi.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static json_t *paths;

static int setup(void **state)
{
	json_t *root = json_loadb(openapi_json, openapi_json_bytes, JSON_REJECT_DUPLICATES, NULL);

	(void)state;
	paths = json_incref(json_object_get(root, "paths"));
	json_decref(root);
	return json_is_object(paths) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(paths);
	return 0;
}

/* "/image/{name...}" is "/image/{name}" there, and so is "{name*}". */
static void template_of(const char *pattern, char *out)
{
	const char *dots = strstr(pattern, "..."), *mark = dots ? dots : strchr(pattern, '*');
	size_t head = mark ? (size_t)(mark - pattern) : strlen(pattern);

	memcpy(out, pattern, head);
	strcpy(out + head, mark ? mark + (dots ? 3 : 1) : "");
}

static const char *const any[] = {"get", "head", "post", "put", "patch", "delete", "options"};

static void test_every_route_is_in_the_contract(void **state)
{
	(void)state;
	for (size_t i = 0; i < api_route_count; i++) {
		char path[128], method[16] = "";

		template_of(api_routes[i].pattern, path);
		if (strcmp(api_routes[i].method, "*") == 0) {
			for (size_t n = 0; n < ARRAY_SIZE(any); n++)
				if (!json_object_get(json_object_get(paths, path), any[n]))
					fail_msg("%s %s is not in the contract", any[n], path);
			continue;
		}
		for (size_t n = 0; api_routes[i].method[n]; n++)
			method[n] = (char)tolower(api_routes[i].method[n]);
		if (!json_object_get(json_object_get(paths, path), method))
			fail_msg("%s %s is not in the contract", api_routes[i].method, path);
	}
}

static int is_route(const char *method, const char *path)
{
	for (size_t i = 0; i < api_route_count; i++) {
		char template[128];

		template_of(api_routes[i].pattern, template);
		if ((strcmp(api_routes[i].method, "*") == 0 ||
			    strcasecmp(api_routes[i].method, method) == 0) &&
			strcmp(template, path) == 0)
			return 1;
	}
	return 0;
}

static void test_every_operation_has_a_route(void **state)
{
	const char *path, *method;
	json_t *item, *operation;
	size_t count = 0, wanted = 0;

	(void)state;
	json_object_foreach(paths, path, item)
	{
		json_object_foreach(item, method, operation)
		{
			if (strcmp(method, "parameters") == 0 || strcmp(method, "description") == 0)
				continue;
			if (!is_route(method, path))
				fail_msg("%s %s has no route", method, path);
			count++;
		}
	}
	for (size_t i = 0; i < api_route_count; i++)
		wanted += strcmp(api_routes[i].method, "*") == 0 ? ARRAY_SIZE(any) : 1;
	assert_int_equal(count, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route_is_in_the_contract),
		cmocka_unit_test(test_every_operation_has_a_route),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
