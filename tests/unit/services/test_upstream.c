/* SPDX-License-Identifier: Apache-2.0 */
/* Registry client and balanced requests against servers of this process, on one loop. */
#include "tests/unit/lib/http_pair.h"

#include "services/common/upstream.h"

enum { INSTANCES = 3 };

static struct {
	struct loop *loop;
	struct httpd *kv, *instance[INSTANCES];
	struct httpc *http;
	struct registry *reg;
	struct upstream *up;
	char body[256];
	bool json; /* the registry answers as ours does, else as the original */
	bool absent;
	int lookups, posts, deletes, hits[INSTANCES], status[INSTANCES];
} t;

struct outcome {
	int calls, status, code;
	size_t instances;
	char body[64];
};

static void on_key(struct httpd_req *req)
{
	t.lookups++;
	if (t.absent)
		httpd_reply(req, 404, "text/html", "Key not found", 13);
	else
		httpd_reply(req, 200, t.json ? "application/json" : "text/html", t.body,
			strlen(t.body));
}

static void on_register(struct httpd_req *req)
{
	assert_non_null(strstr(httpd_body(req, NULL), "\"value\":\"127.0.0.1:7\""));
	if (strcmp(httpd_method(req), "DELETE") == 0)
		t.deletes++;
	else
		t.posts++;
	httpd_reply(req, t.posts == 1 && !t.deletes ? 500 : 200, NULL, NULL,
		0); /* the first time it fails */
}

static void on_hit(struct httpd_req *req)
{
	int i = (int)(intptr_t)httpd_arg(req);

	t.hits[i]++;
	if (t.status[i] == 0)
		httpd_defer(req, NULL); /* never */
	else
		httpd_replyf(req, (unsigned int)t.status[i], NULL, "%d", i);
}

static const struct httpd_route kv_routes[] = {
	{.method = "GET", .pattern = "/{key}", .handler = on_key},
	{.method = "POST", .pattern = "/{key}", .handler = on_register},
	{.method = "DELETE", .pattern = "/{key}", .handler = on_register},
};

static const struct httpd_route routes[] = {
	{.method = "GET", .pattern = "/x", .handler = on_hit},
	{.method = "POST", .pattern = "/x", .handler = on_hit},
};

static struct httpd *serve(const struct httpd_route *table, size_t count, intptr_t arg)
{
	struct httpd_config cfg = {
		.loop = t.loop, .routes = table, .route_count = count, .arg = (void *)arg};
	struct httpd *h;

	assert_int_equal(httpd_new(&cfg, &h, NULL), 0);
	assert_int_equal(httpd_listen_tcp(h, "127.0.0.1", 0, NULL), 0);
	return h;
}

static int setup(void **state)
{
	struct registry_address address;
	char text[64];
	size_t n = 0;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.json = true;
	assert_int_equal(loop_new(&t.loop), 0);
	t.kv = serve(kv_routes, ARRAY_SIZE(kv_routes), 0);
	n = (size_t)snprintf(t.body, sizeof(t.body), "{\"values\":[");
	for (int i = 0; i < INSTANCES; i++) {
		t.instance[i] = serve(routes, ARRAY_SIZE(routes), i);
		t.status[i] = 200;
		n += (size_t)snprintf(t.body + n, sizeof(t.body) - n, "%s\"127.0.0.1:%u\"",
			i ? "," : "", httpd_port(t.instance[i]));
	}
	snprintf(t.body + n, sizeof(t.body) - n, "]}");
	assert_int_equal(httpc_new(t.loop, 0, &t.http, NULL), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", httpd_port(t.kv));
	assert_int_equal(registry_address_parse(text, &address, NULL), 0);
	assert_int_equal(registry_new(t.loop, t.http, &address, &t.reg), 0);
	return upstream_new(t.loop, t.http, t.reg, &(struct balance_policies){0}, &t.up);
}

static int teardown(void **state)
{
	(void)state;
	upstream_free(t.up);
	registry_free(t.reg);
	httpc_free(t.http);
	for (int i = 0; i < INSTANCES; i++)
		httpd_free(t.instance[i]);
	httpd_free(t.kv);
	loop_free(t.loop);
	return 0;
}

static void on_outcome(void *arg, const struct httpc_response *resp, size_t instances)
{
	struct outcome *o = arg;

	o->calls++;
	o->status = resp->status;
	o->code = resp->code;
	o->instances = instances;
	snprintf(o->body, sizeof(o->body), "%s", resp->body);
}

static void until(const int *flag, int n)
{
	struct pair p = {.loop = t.loop};

	pair_until(&p, flag, n);
}

static struct upstream_call *start(struct upstream_request q, struct outcome *o)
{
	struct upstream_call *call;

	*o = (struct outcome){0};
	q.key = "k";
	q.path = "/x";
	q.done = on_outcome;
	q.arg = o;
	assert_int_equal(upstream_start(t.up, &q, &call), 0);
	return call;
}

static void ask(struct upstream_request q, struct outcome *o)
{
	start(q, o);
	until(&o->calls, 1);
}

static void stop_instance(int i)
{
	httpd_free(t.instance[i]);
	t.instance[i] = NULL;
}

static void test_round_robin(void **state)
{
	struct outcome o;

	for (int i = 0; i < 9; i++) {
		ask((struct upstream_request){0}, &o);
		assert_int_equal(o.status, 200);
		assert_int_equal(o.instances, INSTANCES);
	}
	for (int i = 0; i < INSTANCES; i++)
		assert_int_equal(t.hits[i], 3);
	assert_int_equal(t.lookups, 1); /* and then from the cache */
}

static void test_original_registry(void **state)
{
	struct outcome o;

	t.json = false;
	snprintf(t.body, sizeof(t.body), "127.0.0.1:%u", httpd_port(t.instance[1]));
	ask((struct upstream_request){0}, &o);
	assert_string_equal(o.body, "1");
	assert_int_equal(o.instances, 1);
}

static void test_dead_instance(void **state)
{
	struct outcome o;

	stop_instance(0);
	for (int i = 0; i < 10; i++) {
		ask((struct upstream_request){.retry_ms = 60000, .http.method = "POST"}, &o);
		assert_int_equal(o.status, 200);
	}
	assert_int_equal(t.hits[1] + t.hits[2], 10);
	/* Then it is in disgrace; for a second, which may be over on a busy machine. Without that: 3 or 4. */
	assert_in_range(upstream_retries(t.up), 1, 2);
	/* Without retries the failure is the caller's, but only of who asked the dead one. */
	stop_instance(1);
	stop_instance(2);
	ask((struct upstream_request){0}, &o);
	assert_int_equal(o.code, -ECONNREFUSED);
	assert_int_equal(upstream_failures(t.up), 1);
}

static void test_draining_instance(void **state)
{
	struct outcome o;

	t.status[0] = t.status[1] = 503;
	ask((struct upstream_request){.retry_ms = 60000}, &o);
	assert_string_equal(o.body, "2");
	t.status[2] = 503;
	ask((struct upstream_request){.retry_ms = 1}, &o);
	assert_int_equal(o.status, 503);
	t.status[0] = t.status[1] = t.status[2] = 409; /* an answer is an answer */
	ask((struct upstream_request){.retry_ms = 60000}, &o);
	assert_int_equal(o.status, 409);
}

/* What broke off after it was sent is repeated only when that is safe. */
static void test_idempotence(void **state)
{
	struct outcome o;

	t.status[0] = t.status[1] = t.status[2] = 0;
	ask((struct upstream_request){.retry_ms = 60000,
		    .http = {.method = "POST", .timeout_ms = 100}},
		&o);
	assert_int_equal(o.code, -ETIMEDOUT);
	while (t.hits[0] + t.hits[1] + t.hits[2] == 0) /* sent, and not yet seen by the server */
		assert_int_equal(loop_once(t.loop, 60000), 0);
	assert_int_equal(t.hits[0] + t.hits[1] + t.hits[2], 1);
	t.status[0] = t.status[1] = t.status[2] = 200;
	t.status[1] = 0;
	for (int i = 0; i < 4; i++) {
		ask(
			(struct upstream_request){
				.retry_ms = 60000, .idempotent = true, .http.timeout_ms = 100},
			&o);
		assert_int_equal(o.status, 200);
	}
}

static void test_rank(void **state)
{
	char first[64];
	struct outcome o;

	ask((struct upstream_request){.rank = "42"}, &o);
	strcpy(first, o.body);
	for (int i = 0; i < 5; i++) {
		ask((struct upstream_request){.rank = "42"}, &o);
		assert_string_equal(o.body, first);
	}
	ask((struct upstream_request){.rank = "42", .skip = 1}, &o);
	assert_string_not_equal(o.body, first);
	stop_instance(atoi(first));
	ask((struct upstream_request){.rank = "42", .retry_ms = 60000}, &o);
	assert_int_equal(o.status, 200);
}

/* The race at the start: nobody is registered yet; who is, is found without a restart. */
static void test_registered_later(void **state)
{
	struct outcome o, late;

	t.absent = true;
	ask((struct upstream_request){0}, &o);
	assert_int_equal(o.code, -ENOENT);
	start((struct upstream_request){.retry_ms = 60000}, &late);
	until(&t.lookups, 3);
	t.absent = false;
	until(&late.calls, 1);
	assert_int_equal(late.status, 200);
}

static void test_registry_away(void **state)
{
	struct outcome o;

	ask((struct upstream_request){0}, &o);
	httpd_free(t.kv);
	t.kv = NULL;
	stop_instance(0);
	/* A failure asks the registry anew; its last answer must do. */
	for (int i = 0; i < 5; i++) {
		ask((struct upstream_request){.retry_ms = 60000}, &o);
		assert_int_equal(o.status, 200);
	}
}

static void test_cancel(void **state)
{
	struct outcome a, b, c;
	struct upstream_call *first, *second;

	t.status[0] = t.status[1] = t.status[2] = 0;
	first = start((struct upstream_request){0}, &a);
	second = start((struct upstream_request){0}, &b);
	upstream_cancel(first); /* before the lookup */
	until(&t.hits[0], 1);
	upstream_cancel(second); /* under way */
	t.status[1] = 200;
	ask((struct upstream_request){0}, &c);
	assert_int_equal(c.status, 200);
	assert_int_equal(a.calls + b.calls, 0);
	start((struct upstream_request){0}, &a); /* left to teardown */
}

static int left_count, first_count;

static void on_first(void *arg)
{
	(void)arg;
	first_count++;
}

static void on_left(void *arg)
{
	(void)arg;
	left_count++;
}

static void test_registrar(void **state)
{
	struct registrar *r;

	assert_int_equal(registrar_new(t.reg, "k", "127.0.0.1:7", on_first, NULL, &r), 0);
	until(&first_count, 1);
	assert_int_equal(t.posts, 2); /* the first was refused */
	registrar_leave(r, on_left, NULL);
	until(&left_count, 1);
	assert_int_equal(t.deletes, 1);
	registrar_free(r);
}

static void test_fixed(void **state)
{
	struct outcome o;
	struct endpoint e;
	char text[32];

	snprintf(text, sizeof(text), "127.0.0.1:%u", httpd_port(t.instance[2]));
	assert_int_equal(endpoint_parse(text, &e, NULL), 0);
	assert_int_equal(registry_set(t.reg, "k", &e), 0);
	ask((struct upstream_request){0}, &o);
	assert_string_equal(o.body, "2");
	assert_int_equal(t.lookups, 0);
}

static void test_least_in_flight(void **state)
{
	struct outcome held, o;

	upstream_free(t.up);
	assert_int_equal(upstream_new(t.loop, t.http, t.reg,
				 &(struct balance_policies){.any = BALANCE_LEAST}, &t.up),
		0);
	t.status[0] = 0;
	start((struct upstream_request){0}, &held);
	until(&t.hits[0], 1);
	for (int i = 0; i < 6; i++)
		ask((struct upstream_request){0}, &o);
	assert_int_equal(t.hits[0], 1); /* the busy one is spared */
	assert_int_equal(t.hits[1] + t.hits[2], 6);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_robin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_original_registry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_instance, setup, teardown),
		cmocka_unit_test_setup_teardown(test_draining_instance, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idempotence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rank, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registered_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registry_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registrar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fixed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_least_in_flight, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
