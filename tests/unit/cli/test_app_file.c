/* SPDX-License-Identifier: Apache-2.0 */
/* The file of an application: what becomes of it, and lines in refusals. */
#include "tests/unit/cli/test.h"

#include "cli/app/env.h"
#include "cli/app/file.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <stdlib.h>

static int parse(const char *text, struct app_file *file, struct err *err)
{
	return app_file_parse("/srv/x/app.yaml", text, strlen(text), file, err);
}

static void expect_services(const struct app_file *file, const char *text)
{
	json_t *wanted _cleanup_json_ = json_loads(text, 0, NULL);
	char *got _cleanup_free_ = json_dumps(json_object_get(file->body, "services"), 0);

	assert_non_null(wanted);
	if (!json_equal(json_object_get(file->body, "services"), wanted))
		fail_msg("%s", got);
}

static void test_conveniences(void **state)
{
	struct app_file file _cleanup_(app_file_fini) = {0};
	struct err err = {0};

	setenv("UIG_TEST_PORT", "8081", 1);
	if (parse("name: shop\n"
		  "services:\n"
		  "  db: {image: x/db, env: {A: 1, B: b}, ports: [80, \"90:91\", {guest: 7}]}\n"
		  "  web:\n"
		  "    image: web\n"
		  "    replicas: 2\n"
		  "    depends_on: [db]\n"
		  "    args: [/bin/web, \"${service.db.address}:80\", \"$$ ${name}\"]\n"
		  "    ports: [\"${env.UIG_TEST_PORT:-8080}:80\"]\n"
		  "    volumes: [\"../x:/data:ro\", {source: /a, target: /b}]\n",
		    &file, &err) != 0 &&
		!strstr(err.msg, "volumes/0"))
		fail_msg("%s", err.msg);
	assert_contains(err.msg, "/srv/x/app.yaml:10: services/web/volumes/0 \"../x:/data:ro\": ");
	assert_null(file.body);

	assert_int_equal(
		parse("name: shop\n"
		      "services:\n"
		      "  db: {image: x/db, env: {A: 1, B: b}, ports: [80, \"90:91\", {guest: 7}]}\n"
		      "  web:\n"
		      "    image: web\n"
		      "    replicas: 2\n"
		      "    args: [\"${service.db.address}:80\", \"$$ ${name}\"]\n"
		      "    ports: [\"${env.UIG_TEST_PORT:-8080}:80\"]\n"
		      "    volumes: [\"/tmp:/data:ro\", {source: /a, target: /b}]\n",
			&file, &err),
		0);
	assert_string_equal(file.name, "shop");
	assert_int_equal(file.nbuilds, 0);
	expect_services(&file,
		"{\"db\":{\"image\":\"x/db\",\"env\":{\"A\":\"1\",\"B\":\"b\"},\"ports\":["
		"{\"address\":\"127.0.0.1\",\"host\":0,\"guest\":80},"
		"{\"address\":\"127.0.0.1\",\"host\":90,\"guest\":91},{\"guest\":7}]},"
		"\"web\":{\"image\":\"web\",\"replicas\":2,\"args\":[\"${service.db.address}:80\","
		"\"$$ ${name}\"],"
		"\"ports\":[{\"address\":\"127.0.0.1\",\"host\":8081,\"guest\":80}],\"volumes\":["
		"{\"source\":\"/tmp\",\"target\":\"/data\",\"read_only\":true},"
		"{\"source\":\"/a\",\"target\":\"/b\"}]}}");
}

static void expect_context(const struct app_file *file, size_t n, const char *root, const char *to)
{
	char *context _cleanup_free_ = app_file_context(file, &file->builds[n], root);

	if (!to)
		assert_null(context);
	else
		assert_string_equal(context, to);
}

static void test_builds(void **state)
{
	struct app_file file _cleanup_(app_file_fini) = {0};
	struct err err = {0};

	assert_int_equal(
		parse("name: a\n"
		      "services:\n"
		      "  one: {build: one.yaml}\n"
		      "  two: {image: two:1, build: {manifest: /m/two.yaml, context: bin}}\n",
			&file, &err),
		0);
	assert_int_equal(file.nbuilds, 2);
	assert_string_equal(file.builds[0].manifest, "/srv/x/one.yaml");
	assert_null(file.builds[0].image);
	assert_string_equal(file.builds[1].manifest, "/m/two.yaml");
	assert_string_equal(file.builds[1].image, "two:1");
	expect_context(&file, 0, NULL, NULL);
	expect_context(&file, 0, "/root", "/root");
	expect_context(&file, 1, NULL, "/srv/x/bin");
	expect_context(&file, 1, "/root", "/root/bin");
	assert_int_equal(app_file_set_image(&file, &file.builds[0], "one"), 0);
	expect_services(&file, "{\"one\":{\"image\":\"one\"},\"two\":{\"image\":\"two:1\"}}");
}

static void refuse(const char *text, const char *sentence)
{
	struct app_file file = {0};
	struct err err = {0};

	assert_int_equal(parse(text, &file, &err), -EINVAL);
	assert_contains(err.msg, sentence);
}

static void test_refused(void **state)
{
	refuse("", "app.yaml:");
	refuse("[]", "app.yaml:1: an application is a map");
	refuse("name: a", "app.yaml:1: an application needs services");
	refuse("services: {}", "an application needs a name");
	refuse("name: a.b\nservices: {}", "an application needs a name");
	refuse("name: -a\nservices: {}", "an application needs a name");
	refuse("name: a\nservices: {}\nother: 1", "other is no field");
	refuse("name: a\nservices: []", "needs services, a map");
	refuse("name: a\nservices:\n  b: 7\n", "app.yaml:3: services/b is not a map");
	refuse("name: a\nservices:\n  b:\n    ports: [x]\n",
		"app.yaml:4: services/b/ports/0 is not");
	refuse("name: a\nservices:\n  b:\n    ports: [70000]\n", "services/b/ports/0 is not");
	refuse("name: a\nservices:\n  b:\n    ports: [-1]\n", "services/b/ports/0 is not");
	refuse("name: a\nservices:\n  b:\n    volumes: [7]\n", "services/b/volumes/0 is not");
	refuse("name: a\nservices:\n  b:\n    volumes: [\"/tmp\"]\n",
		"services/b/volumes/0 is not");
	refuse("name: a\nservices:\n  b:\n    build: {}\n", "names no manifest");
	refuse("name: a\nservices:\n  b:\n    build: {file: x}\n", "build/file is no field");
	refuse("name: a\nservices:\n  b:\n    build: {manifest: 7}\n",
		"build/manifest is not a path");
	refuse("name: a\nservices:\n  b: {image: i, image: j}\n", "app.yaml:3");
	refuse("name: a\nservices:\n  b:\n    image: \"${env.UIG_TEST_NONE}\"\n",
		"app.yaml:4: there is no environment variable UIG_TEST_NONE");
	refuse("name: a\nservices:\n  b:\n    image: \"${env.}\"\n", "app.yaml:4: ${env.NAME}");
}

static int expand(const char *text, const char *to)
{
	json_t *vars _cleanup_json_ = json_pack("{s:s, s:s}", "a-1", "A", "b", "${env.UIG_TEST_A}");
	struct buf out _cleanup_buf_ = {0};
	const char *name;
	size_t len;
	int rc = buf_addstr(&out, "");

	rc = rc ? rc : env_expand(text, vars, &out, &name, &len);
	if (!rc)
		assert_string_equal(out.data, to);
	return rc;
}

static void test_environment(void **state)
{
	setenv("UIG_TEST_A", "a", 1);
	setenv("UIG_TEST_EMPTY", "", 1);
	unsetenv("UIG_TEST_NONE");
	assert_int_equal(expand("", ""), 0);
	assert_int_equal(expand("${name} $ $$", "${name} $ $$"), 0);
	assert_int_equal(expand("x${env.UIG_TEST_A}y${env.UIG_TEST_A}", "xaya"), 0);
	assert_int_equal(expand("${env.UIG_TEST_NONE:-d:-e}", "d:-e"), 0);
	assert_int_equal(expand("${env.UIG_TEST_NONE:-}", ""), 0);
	assert_int_equal(expand("${env.UIG_TEST_EMPTY:-d}", "d"), 0);
	assert_int_equal(expand("${env.UIG_TEST_EMPTY}", ""), 0);
	assert_int_equal(expand("${env.UIG_TEST_A:-d}", "a"), 0);
	assert_int_equal(expand("$${env.UIG_TEST_A}", "$${env.UIG_TEST_A}"), 0);
	assert_int_equal(expand("${env.UIG_TEST_NONE}", ""), -ENOENT);
	assert_int_equal(expand("${env.", ""), -EINVAL);
	assert_int_equal(expand("${env.}", ""), -EINVAL);
	assert_int_equal(expand("${env.1A}", ""), -EINVAL);
	assert_int_equal(expand("${env.A", ""), -EINVAL);
	assert_int_equal(expand("${env.A:}", ""), -EINVAL);
	assert_int_equal(expand("${env.A B}", ""), -EINVAL);
	assert_int_equal(expand("${var.a-1}${env.UIG_TEST_A}${var.b}", "Aa${env.UIG_TEST_A}"), 0);
	assert_int_equal(expand("${env.UIG_TEST_A}$${var.a-1}", "a$${var.a-1}"), 0);
	assert_int_equal(expand("${var.c}", ""), -ENOENT);
	assert_int_equal(expand("${var.}", ""), -EINVAL);
	assert_int_equal(expand("${var.a:-b}", ""), -EINVAL);
	assert_int_equal(expand("${var.a", ""), -EINVAL);
}

/* One line says it for the whole file. */
static void test_vars(void **state)
{
	struct app_file file _cleanup_(app_file_fini) = {0};
	struct err err = {0};

	setenv("UIG_TEST_A", "kv", 1);
	assert_int_equal(parse("name: shop\n"
			       "vars: {kind: \"${env.UIG_TEST_A}\", port: 80}\n"
			       "services:\n"
			       "  db: {build: \"${var.kind}.yaml\", args: "
			       "[\"${var.kind}://x:${var.port}\"]}\n",
				 &file, &err),
		0);
	assert_int_equal(file.nbuilds, 1);
	assert_string_equal(file.builds[0].manifest, "/srv/x/kv.yaml");
	expect_services(&file, "{\"db\":{\"args\":[\"kv://x:80\"]}}");
	app_file_fini(&file);
	refuse("name: a\nvars: [1]\nservices: {}\n", "vars is a map of texts");
	refuse("name: a\nvars: {x: [1]}\nservices: {}\n", "x is not a text");
	refuse("name: a\nvars: {x: 1, y: \"${var.x}\"}\nservices: {}\n",
		"app.yaml:2: there is no x among the vars");
	refuse("name: a\nservices:\n  b:\n    image: \"${var.x}\"\n",
		"app.yaml:4: there is no x among the vars");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conveniences),
		cmocka_unit_test(test_builds),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_vars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
