/* SPDX-License-Identifier: Apache-2.0 */
/* What names of instances resolve to, over a table made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/core.h"
#include "daemon/instance/impl.h"
#include "daemon/names.h"

#include <string.h>

#define VMS 6

struct setup {
	struct core core;
	struct instances is;
	struct instance vm[VMS];
	struct dns_set set;
};

static int setup(void **state)
{
	static const struct {
		const char *name, *app, *service;
		enum instance_state state;
		bool ready;
	} rows[VMS] = {
		{"db", NULL, NULL, VM_RUNNING, true},
		{"shop-web-1", "shop", "web", VM_RUNNING, false},
		{"shop-web-2", "shop", "web", VM_RUNNING, false},
		{"shop-web-3", "shop", "web", VM_STARTING, false},
		{"a.b", "Shop.eu", "db", VM_STOPPED, false},
		{"x..y", NULL, NULL, VM_PAUSED, true},
	};
	struct setup *s = calloc(1, sizeof(*s));

	*state = s;
	s->core.instances = &s->is;
	subnet_parse("10.93.0.0/16", &s->core.config.subnet, NULL);
	for (unsigned i = 0; i < VMS; i++) {
		struct instance *vm = &s->vm[i];

		strcpy(vm->name, rows[i].name);
		vm->state = rows[i].state;
		vm->ready = rows[i].ready;
		vm->ip = 0x0a5d0002 + i;
		vm->shell =
			rows[i].state == VM_STOPPED ? NULL : (struct shell *)s; /* only looked at */
		vm->labels = json_object();
		if (rows[i].app) {
			json_object_set_new(vm->labels, NAMES_LABEL_APP, json_string(rows[i].app));
			json_object_set_new(
				vm->labels, NAMES_LABEL_SERVICE, json_string(rows[i].service));
		}
		instance_table_add(&s->is, vm);
	}
	return 0;
}

static int teardown(void **state)
{
	struct setup *s = *state;

	for (unsigned i = 0; i < VMS; i++)
		json_decref(s->vm[i].labels);
	free(s);
	return 0;
}

static int lookup_from(struct setup *s, uint32_t ip, const char *name)
{
	memset(&s->set, 0, sizeof(s->set));
	return names_lookup(&s->core, ip, name, &s->set);
}

/* By the machine itself. */
static int lookup(struct setup *s, const char *name)
{
	return lookup_from(s, 0x0a5d0001, name);
}

static void expect(struct setup *s, const char *name, int rcode, unsigned count, uint32_t first)
{
	assert_int_equal(lookup(s, name), rcode);
	assert_int_equal(s->set.count, count);
	assert_int_equal(s->set.ip[0], first);
}

static void test_instances(void **state)
{
	struct setup *s = *state;

	expect(s, "db.uigniter", DNS_NOERROR, 1, 0x0a5d0002);
	expect(s, "db", DNS_NOERROR, 1, 0x0a5d0002);
	expect(s, "shop-web-3", DNS_NOERROR, 1, 0x0a5d0005);
	expect(s, "x..y.uigniter", DNS_NOERROR, 1, 0x0a5d0007); /* nobody can ask so */
	expect(s, "d", DNS_NXDOMAIN, 0, 0);
	expect(s, "dbx", DNS_NXDOMAIN, 0, 0);
	expect(s, "dbx.uigniter", DNS_NXDOMAIN, 0, 0);
	expect(s, ".uigniter", DNS_REFUSED, 0, 0);
	expect(s, "uigniter", DNS_NOERROR, 0, 0);
	expect(s, "", DNS_REFUSED, 0, 0);
	expect(s, "a.b", DNS_REFUSED, 0, 0); /* only below the suffix: it could be anybody's */
	expect(s, "example.com", DNS_REFUSED, 0, 0);
	expect(s, "db.uigniter.com", DNS_REFUSED, 0, 0);
}

static void test_ends(void **state)
{
	struct setup *s = *state;

	expect(s, "a.b.uigniter", DNS_NXDOMAIN, 0, 0);
	s->vm[4].state = VM_STARTING;
	s->vm[4].shell = (struct shell *)s;
	expect(s, "a.b.uigniter", DNS_NOERROR, 1, 0x0a5d0006);
	s->vm[0].state = VM_CRASHED;
	expect(s, "db", DNS_NXDOMAIN, 0, 0);
	s->vm[1].state = VM_STOPPING; /* it has its name still, but is no replica any more */
	expect(s, "shop-web-1", DNS_NOERROR, 1, 0x0a5d0003);
	expect(s, "web.shop.uigniter", DNS_NOERROR, 1, 0x0a5d0004);
}

static void test_services(void **state)
{
	struct setup *s = *state;

	expect(s, "web.shop.uigniter", DNS_NOERROR, 2,
		0x0a5d0003); /* none is ready: all that run */
	s->vm[2].ready = true;
	expect(s, "web.shop.uigniter", DNS_NOERROR, 1, 0x0a5d0004);
	s->vm[1].ready = true;
	expect(s, "web.shop.uigniter", DNS_NOERROR, 2, 0x0a5d0003);
	expect(s, "shop.uigniter", DNS_NOERROR, 2, 0x0a5d0003); /* all of the application */
	s->vm[1].state = s->vm[2].state = VM_PAUSED;
	expect(s, "web.shop.uigniter", DNS_NOERROR, 0, 0);
	expect(s, "web.shop", DNS_REFUSED, 0, 0);
	expect(s, "shop.uigniter", DNS_NOERROR, 0, 0);
	expect(s, "shop", DNS_NXDOMAIN, 0, 0); /* without the suffix: instances alone */
	expect(s, "sho.uigniter", DNS_NXDOMAIN, 0, 0);
	expect(s, "web.sho.uigniter", DNS_NXDOMAIN, 0, 0);
	expect(s, "web.shopp.uigniter", DNS_NXDOMAIN, 0, 0);
	expect(s, "we.shop.uigniter", DNS_NXDOMAIN, 0, 0);
	expect(s, "db.shop.eu.uigniter", DNS_NOERROR, 0, 0); /* whatever its case; it is down */
}

static void test_pointers(void **state)
{
	struct setup *s = *state;

	expect(s, "2.0.93.10.in-addr.arpa", DNS_NOERROR, 0, 0);
	assert_string_equal(s->set.pointer, "db.uigniter");
	expect(s, "6.0.93.10.in-addr.arpa", DNS_NXDOMAIN, 0, 0);
	expect(s, "1.0.93.10.in-addr.arpa", DNS_NXDOMAIN, 0, 0);
	expect(s, "1.0.94.10.in-addr.arpa", DNS_REFUSED, 0, 0);
}

/* Each of a network of its own finds its neighbours there, and nobody else; nobody else finds those. */
static void test_networks(void **state)
{
	static const uint32_t db = 0x0a5d0002, web1 = 0x0a5d0003, web2 = 0x0a5d0004,
			      nobody = 0x0a5d00ff;
	static const struct {
		uint32_t from;
		const char *name;
		int rcode;
		unsigned count;
	} rows[] = {
		{web1, "shop-web-1", DNS_NOERROR, 1},
		{web1, "shop-web-2.uigniter", DNS_NXDOMAIN, 0},
		{web1, "db", DNS_NXDOMAIN, 0},
		{web1, "web.shop.uigniter", DNS_NOERROR, 1},
		{web1, "3.0.93.10.in-addr.arpa", DNS_NOERROR, 0},
		{web1, "2.0.93.10.in-addr.arpa", DNS_NXDOMAIN, 0},
		{web2, "shop-web-1.uigniter", DNS_NXDOMAIN, 0},
		{db, "shop-web-1", DNS_NXDOMAIN, 0},
		{db, "web.shop.uigniter", DNS_NXDOMAIN, 0},
		{db, "3.0.93.10.in-addr.arpa", DNS_NXDOMAIN, 0},
		{db, "db", DNS_NOERROR, 1},
		{nobody, "db", DNS_NOERROR, 1},
		{nobody, "shop-web-1", DNS_NXDOMAIN, 0},
	};
	struct setup *s = *state;

	strcpy(s->vm[1].network, "a");
	strcpy(s->vm[2].network, "b");
	strcpy(s->vm[3].network, "a");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(lookup_from(s, rows[i].from, rows[i].name), rows[i].rcode);
		assert_int_equal(s->set.count, rows[i].count);
	}
	expect(s, "web.shop.uigniter", DNS_NOERROR, 2, web1);
}

static void test_search(void **state)
{
	struct setup *s = *state;
	char text[DNS_NAME_BYTES];

	names_search(&s->vm[0], text, sizeof(text));
	assert_string_equal(text, "uigniter");
	names_search(&s->vm[1], text, sizeof(text));
	assert_string_equal(text, "shop.uigniter,uigniter");
	names_search(&s->vm[4], text, sizeof(text)); /* a label of somebody's own */
	assert_string_equal(text, "uigniter");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_instances, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_services, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pointers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_networks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_search, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
