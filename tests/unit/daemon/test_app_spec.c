/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of an application, read from outside, and the references in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/app/refs.h"
#include "daemon/app/spec.h"
#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

static int parse(const char *text, struct app_spec *spec, struct check *c)
{
	_cleanup_json_ json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	return app_spec_parse(root, spec, c);
}

static void test_good(void **state)
{
	struct app_spec spec;
	struct check c;
	_cleanup_json_ json_t *again = NULL;

	(void)state;
	assert_int_equal(
		parse("{\"services\":{"
		      "\"web\":{\"image\":\"x/web:1\",\"replicas\":3,\"depends_on\":[\"job\"],"
		      "\"args\":[\"/bin/web\",\"${service.db.address}:80\"],"
		      "\"restart\":{\"policy\":\"on-failure\",\"max_retries\":4},"
		      "\"stop_timeout_s\":7,\"ports\":[{\"guest\":80}]},"
		      "\"db\":{\"image\":\"db\",\"env\":{\"A\":\"$$ $ ${name}\"}},"
		      "\"job\":{\"image\":\"job\",\"restart\":\"no\",\"replicas\":0}}}",
			&spec, &c),
		0);
	assert_int_equal(spec.count, 3);
	assert_string_equal(spec.services[0].name, "web");
	assert_int_equal(spec.services[0].replicas, 3);
	assert_int_equal(spec.services[0].deps, 6);
	assert_int_equal(spec.services[0].refs, 2);
	assert_int_equal(spec.services[0].restart.policy, RESTART_ON_FAILURE);
	assert_int_equal(spec.services[0].restart.max_retries, 4);
	assert_int_equal(spec.services[0].stop_timeout_s, 7);
	assert_int_equal(spec.services[1].restart.policy, RESTART_ALWAYS);
	assert_int_equal(spec.services[1].replicas, 1);
	assert_string_equal(
		json_string_value(json_object_get(spec.services[1].request, "image_name")), "db");
	assert_null(json_object_get(spec.services[0].request, "replicas"));
	assert_int_equal(spec.services[2].restart.policy, RESTART_NO);
	again = app_spec_json(&spec);
	app_spec_fini(&spec);
	assert_int_equal(app_spec_parse(again, &spec, &c), 0);
	assert_int_equal(spec.services[0].deps, 6);
	app_spec_fini(&spec);
}

static void refuse(const char *text, const char *pointer)
{
	struct app_spec spec;
	struct check c;

	assert_int_equal(parse(text, &spec, &c), -EINVAL);
	assert_string_equal(c.pointer, pointer);
	assert_true(c.err.msg[0]);
}

#define SERVICE(fields)                                                                            \
	"{\"services\":{\"a\":{\"image\":\"i\"," fields "},\"b\":{\"image\":\"i\"}}}"

#define JOB(fields)                                                                                \
	"{\"services\":{\"a\":{\"image\":\"i\"," fields                                            \
	"},\"b\":{\"image\":\"i\",\"restart\":\"no\"}}}"

static void test_done(void **state)
{
	struct app_spec spec;
	struct check c;

	(void)state;
	assert_int_equal(
		parse(JOB("\"depends_on\":{\"b\":\"done\"},\"vsock\":true"), &spec, &c), 0);
	assert_int_equal(spec.services[0].deps, 2);
	assert_int_equal(spec.services[0].done, 2);
	assert_true(json_is_true(json_object_get(spec.services[0].request, "vsock")));
	app_spec_fini(&spec);
	assert_int_equal(parse(SERVICE("\"depends_on\":{\"b\":\"ready\"}"), &spec, &c), 0);
	assert_int_equal(spec.services[0].deps, 2);
	assert_int_equal(spec.services[0].done, 0);
	app_spec_fini(&spec);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("{}", "/services");
	refuse("{\"services\":[]}", "/services");
	refuse("{\"services\":{},\"x\":1}", "/x");
	refuse("{\"services\":{\"a\":7}}", "/services/a");
	refuse("{\"services\":{\"a\":{}}}", "/services/a/image");
	refuse("{\"services\":{\"a\":{\"image\":\"../x\"}}}", "/services/a/image");
	refuse("{\"services\":{\"a.b\":{\"image\":\"i\"}}}", "/services/a.b");
	refuse("{\"services\":{\"-a\":{\"image\":\"i\"}}}", "/services/-a");
	refuse("{\"services\":{\"aaaaaaaaaaaaaaaaaaaaaaaaa\":{\"image\":\"i\"}}}",
		"/services/aaaaaaaaaaaaaaaaaaaaaaaaa");
	refuse(SERVICE("\"name\":\"x\""), "/services/a/name");
	refuse(SERVICE("\"wait\":\"ready\""), "/services/a/wait");
	refuse(SERVICE("\"replicas\":-1"), "/services/a/replicas");
	refuse(SERVICE("\"replicas\":257"), "/services/a/replicas");
	refuse(SERVICE("\"replicas\":\"1\""), "/services/a/replicas");
	refuse(SERVICE("\"stop_timeout_s\":3601"), "/services/a/stop_timeout_s");
	refuse(SERVICE("\"depends_on\":\"b\""), "/services/a/depends_on");
	refuse(SERVICE("\"depends_on\":[1]"), "/services/a/depends_on/0");
	refuse(SERVICE("\"depends_on\":[\"b\",\"c\"]"), "/services/a/depends_on/1");
	refuse(SERVICE("\"depends_on\":[\"a\"]"), "/services/a/depends_on");
	refuse(SERVICE("\"depends_on\":{\"b\":\"up\"}"), "/services/a/depends_on/b");
	refuse(SERVICE("\"depends_on\":{\"b\":1}"), "/services/a/depends_on/b");
	refuse(SERVICE("\"depends_on\":{\"c\":\"done\"}"), "/services/a/depends_on/c");
	refuse(SERVICE("\"depends_on\":{\"b\":\"done\"}"), "/services/a/depends_on/b");
	refuse(SERVICE("\"depends_on\":{\"a\":\"ready\"}"), "/services/a/depends_on");
	refuse(JOB("\"depends_on\":{\"b\":\"done\"},\"env\":{\"A\":\"${service.b.address}\"}"),
		"/services/a/depends_on");
	refuse(SERVICE("\"replicas\":2,\"vsock\":{\"cid\":3}"), "/services/a/vsock/cid");
	refuse(SERVICE("\"limits\":{\"pids\":1}"), "/services/a/limits/pids");
	refuse(SERVICE("\"restart\":\"x\""), "/services/a/restart");
	refuse(SERVICE("\"restart\":{\"times\":1}"), "/services/a/restart/times");
	refuse(SERVICE("\"memory_mib\":1"), "/services/a/memory_mib");
	refuse(SERVICE("\"env\":{\"A\":\"${b}\"}"), "/services/a/env/A");
	refuse(SERVICE("\"env\":{\"A\":\"${service.c.address}\"}"), "/services/a/env/A");
	refuse(SERVICE("\"env\":{\"A\":\"${service.a.address}\"}"), "/services/a/depends_on");
	refuse(SERVICE("\"args\":[\"x\",\"${name\"]"), "/services/a/args/1");
	refuse(SERVICE("\"cmdline\":\"${}\""), "/services/a/cmdline");
	refuse(SERVICE("\"replicas\":2,\"ports\":[{\"host\":1,\"guest\":1}]"), "/services/a/ports");
}

static void test_too_many(void **state)
{
	_cleanup_json_ json_t *services = json_object(), *root = NULL;
	struct app_spec spec;
	struct check c;

	(void)state;
	for (int n = 0; n <= PLAN_SERVICES_MAX; n++) {
		char name[8];

		snprintf(name, sizeof(name), "s%d", n);
		json_object_set_new(services, name, json_pack("{s:s}", "image", "i"));
	}
	root = json_pack("{s:O}", "services", services);
	assert_int_equal(app_spec_parse(root, &spec, &c), -EINVAL);
	json_object_del(services, "s0");
	assert_int_equal(app_spec_parse(root, &spec, &c), 0);
	assert_int_equal(spec.count, PLAN_SERVICES_MAX);
	app_spec_fini(&spec);
}

/* --- references -------------------------------------------------------------------------------------------------- */
static int put(void *arg, enum ref_kind kind, const char *service, size_t len, struct buf *out,
	struct err *err)
{
	(void)arg;
	if (kind == REF_ADDRESS && len == 4 && memcmp(service, "gone", 4) == 0)
		return err_set(err, EAGAIN, "gone");
	return buf_printf(out, "<%d%.*s>", kind, (int)len, service ? service : "");
}

static int expand(const char *text, const char *to)
{
	_cleanup_buf_ struct buf out;
	struct err err = {0};
	int r;

	buf_init(&out, 0);
	r = refs_expand(text, put, NULL, &out, &err);
	if (r == 0)
		assert_string_equal(out.data ? out.data : "", to);
	return r;
}

static void test_refs(void **state)
{
	(void)state;
	assert_int_equal(expand("", ""), 0);
	assert_int_equal(expand("plain", "plain"), 0);
	assert_int_equal(expand("$", "$"), 0);
	assert_int_equal(expand("$$", "$"), 0);
	assert_int_equal(expand("$$$", "$$"), 0);
	assert_int_equal(expand("$${name}", "${name}"), 0);
	assert_int_equal(expand("a$b $ c$", "a$b $ c$"), 0);
	assert_int_equal(expand("${name}${replica}-${app}", "<1><2>-<3>"), 0);
	assert_int_equal(expand("x${service.a-1.address}:80", "x<0a-1>:80"), 0);
	assert_int_equal(expand("${service.gone.address}", ""), -EAGAIN);
	assert_int_equal(expand("${", ""), -EINVAL);
	assert_int_equal(expand("${}", ""), -EINVAL);
	assert_int_equal(expand("${name ", ""), -EINVAL);
	assert_int_equal(expand("${name }", ""), -EINVAL);
	assert_int_equal(expand("${service.address}", ""), -EINVAL);
	assert_int_equal(expand("${service..address}", ""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_refs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
