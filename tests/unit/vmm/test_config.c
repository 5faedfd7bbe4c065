/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"
#include "vmm/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum what { MACHINE, MACHINE_PATCH, BOOT, NET, DRIVE, START, FILE_BODY };

#define DRIVE_BODY(id, path)                                                                       \
	"{\"drive_id\":\"" id "\",\"is_root_device\":false,\"path_on_host\":\"" path "\"}"

static int apply(struct config *c, enum what what, const char *text, struct err *err)
{
	json_t *body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	int r = -EINVAL;

	assert_non_null(body);
	switch (what) {
	case MACHINE:
		r = config_machine(c, body, false, err);
		break;
	case MACHINE_PATCH:
		r = config_machine(c, body, true, err);
		break;
	case BOOT:
		r = config_boot(c, body, err);
		break;
	case NET:
		r = config_net(c, "eth0", body, err);
		break;
	case DRIVE:
		r = config_drive(c, "d0", body, err);
		break;
	case START:
		r = config_start(c, body, err);
		break;
	case FILE_BODY:
		r = config_load(c, body, err);
		break;
	}
	json_decref(body);
	return r;
}

static void test_good(void **state)
{
	struct config c;

	(void)state;
	config_init(&c);
	assert_int_equal(
		apply(&c, MACHINE,
			"{\"vcpu_count\":1,\"mem_size_mib\":32,\"huge_pages\":\"Transparent\"}",
			NULL),
		0);
	assert_int_equal(c.mem_mib, 32);
	assert_true(c.huge_pages);
	assert_int_equal(apply(&c, MACHINE_PATCH, "{\"huge_pages\":\"None\"}", NULL), 0);
	assert_int_equal(c.mem_mib, 32);
	assert_false(c.huge_pages);
	assert_int_equal(apply(&c, BOOT,
				 "{\"kernel_image_path\":\"/k\",\"initrd_path\":\"/"
				 "i\",\"boot_args\":\"a b\"}",
				 NULL),
		0);
	assert_string_equal(c.libos, "/k");
	assert_string_equal(c.image, "/i");
	assert_string_equal(c.args, "a b");
	assert_int_equal(apply(&c, NET,
				 "{\"iface_id\":\"eth0\",\"host_dev_name\":\"tap0\",\"guest_mac\":"
				 "\"02:00:00:00:00:ff\",\"mtu\":9000}",
				 NULL),
		0);
	assert_string_equal(c.tap, "tap0");
	assert_int_equal(c.mac[5], 0xff);
	assert_int_equal(c.mtu, 9000);
	assert_int_equal(apply(&c, START, "{\"image_path\":\"/j\"}", NULL), 0);
	assert_string_equal(c.image, "/j");
	assert_string_equal(c.args, "a b"); /* what is left out stays */
	config_fini(&c);
	assert_int_equal(apply(&c, FILE_BODY,
				 "{\"boot-source\":{\"kernel_image_path\":\"/"
				 "k\"},\"machine-config\":{\"vcpu_count\":1,\"mem_size_mib\":8},"
				 "\"network-interfaces\":[{\"iface_id\":\"a\",\"host_dev_name\":"
				 "\"t\"}],\"drives\":[]}",
				 NULL),
		0);
	assert_string_equal(c.iface, "a");
	config_fini(&c);
}

static void test_bad(void **state)
{
	static const struct {
		enum what what;
		const char *body, *sentence; /* a part of it */
	} cases[] = {
		{MACHINE, "{}", "missing field `vcpu_count`"},
		{MACHINE, "{\"vcpu_count\":1}", "missing field `mem_size_mib`"},
		{MACHINE, "{\"vcpu_count\":1,\"mem_size_mib\":32,\"x\":1}",
			"unknown field `x`, expected one of `vcpu_count`"},
		{MACHINE, "{\"vcpu_count\":0,\"mem_size_mib\":32}", "vcpu_count"},
		{MACHINE, "{\"vcpu_count\":2,\"mem_size_mib\":32}", "one vCPU"},
		{MACHINE, "{\"vcpu_count\":1,\"mem_size_mib\":-1}", "mem_size_mib"},
		{MACHINE, "{\"vcpu_count\":1,\"mem_size_mib\":1}", "mem_size_mib"},
		{MACHINE, "{\"vcpu_count\":1,\"mem_size_mib\":99999999999}", "mem_size_mib"},
		{MACHINE, "{\"vcpu_count\":1.5,\"mem_size_mib\":32}", "vcpu_count"},
		{MACHINE, "{\"vcpu_count\":1,\"mem_size_mib\":32,\"smt\":true}", "one vCPU"},
		{MACHINE, "{\"vcpu_count\":1,\"mem_size_mib\":32,\"huge_pages\":\"2M\"}",
			"unknown variant `2M`"},
		{MACHINE, "[]", "expected an object"},
		{MACHINE_PATCH, "{\"mem_size_mib\":\"32\"}", "mem_size_mib"},
		{BOOT, "{\"initrd_path\":\"/i\"}", "missing field `kernel_image_path`"},
		{BOOT, "{\"kernel_image_path\":3}", "kernel_image_path"},
		{BOOT, "{\"kernel_image_path\":\"/k\",\"args\":\"x\"}", "unknown field `args`"},
		{NET, "{\"iface_id\":\"eth1\",\"host_dev_name\":\"t\"}", "does not match"},
		{NET, "{\"iface_id\":\"eth0\"}", "missing field `host_dev_name`"},
		{NET, "{\"iface_id\":\"eth0\",\"host_dev_name\":\"a-name-that-is-too-long\"}",
			"host_dev_name"},
		{NET,
			"{\"iface_id\":\"eth0\",\"host_dev_name\":\"t\",\"guest_mac\":\"02:00:00:"
			"00:00\"}",
			"invalid MAC"},
		{NET,
			"{\"iface_id\":\"eth0\",\"host_dev_name\":\"t\",\"guest_mac\":\"03:00:00:"
			"00:00:00\"}",
			"invalid MAC"},
		{NET, "{\"iface_id\":\"eth0\",\"host_dev_name\":\"t\",\"mtu\":67}", "mtu"},
		{START, "{\"image\":\"x\"}", "unknown field `image`"},
		{START, "{\"image_path\":[]}", "image_path"},
		{FILE_BODY, "{\"drives\":[{}]}", "missing field `drive_id`"},
		{FILE_BODY, "{\"entropy\":{\"rate_limiter\":{}}}", "rate limiters"},
		{FILE_BODY, "{\"entropy\":3}", "entropy"},
		{FILE_BODY, "{\"drives\":{}}", "expected an array"},
		{START, "{\"drives\":[3]}", "expected an object"},
		{DRIVE, "{\"drive_id\":\"d0\",\"is_root_device\":false}",
			"missing field `path_on_host`"},
		{DRIVE, DRIVE_BODY("d1", "/dev/null"), "does not match"},
		{DRIVE, DRIVE_BODY("d0", "/dev/null"), "neither a regular file"},
		{DRIVE, DRIVE_BODY("d0", "/etc/passwd\",\"cache_type\":\"Fast"), "cache_type"},
		{DRIVE, DRIVE_BODY("d0", "/etc/passwd\",\"io_engine\":\"Fast"), "io_engine"},
		{DRIVE, DRIVE_BODY("d0", "/etc/passwd\",\"partuuid\":\"1"), "partuuid"},
		{DRIVE, DRIVE_BODY("d0", "/etc/passwd\",\"rate_limiter\":\"1"), "unknown field"},
		{FILE_BODY, "{\"network-interfaces\":{}}", "expected an array"},
		{FILE_BODY,
			"{\"network-interfaces\":[{\"iface_id\":\"a b\",\"host_dev_name\":\"t\"}]}",
			"alphanumeric"},
		{FILE_BODY, "{\"boot-source\":4}", "expected an object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		struct config c;

		config_init(&c);
		print_message("%s\n", cases[i].body);
		assert_int_equal(apply(&c, cases[i].what, cases[i].body, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].sentence))
			fail_msg("\"%s\" lacks \"%s\"", err.msg, cases[i].sentence);
		assert_int_equal(c.mem_mib, 128);
		assert_null(c.libos);
		assert_null(c.tap);
		assert_int_equal(c.ndrives, 0);
		config_fini(&c);
	}
}

/* Drives keep their order, the root drive goes first, a known id is replaced, and no descriptor is lost. */
static void test_drives(void **state)
{
	int before = dup(0), after;
	struct err err = {0};
	struct config c;
	char body[256];

	(void)state;
	close(before);
	config_init(&c);
	assert_int_equal(apply(&c, DRIVE, DRIVE_BODY("d0", "/nonexistent"), &err), -ENOENT);
	assert_int_equal(apply(&c, DRIVE, DRIVE_BODY("d0", "/etc/passwd"), NULL), 0);
	assert_int_equal(apply(&c, DRIVE, DRIVE_BODY("d0", "/etc/group"), NULL), 0);
	assert_int_equal(c.ndrives, 1);
	assert_string_equal(c.drive[0].path, "/etc/group");
	assert_int_equal(apply(&c, START,
				 "{\"drives\":[{\"drive_id\":\"r\",\"is_root_device\":true,"
				 "\"path_on_host\":\"/etc/passwd\",\"is_read_only\":true}]}",
				 NULL),
		0);
	assert_string_equal(c.drive[0].id, "r");
	assert_true(c.drive[0].root && c.drive[0].read_only && !c.drive[1].root);
	assert_int_equal(apply(&c, START,
				 "{\"drives\":[{\"drive_id\":\"q\",\"is_root_device\":true,"
				 "\"path_on_host\":\"/etc/passwd\"}]}",
				 &err),
		-EINVAL);
	assert_non_null(strstr(err.msg, "root block device already exists"));
	for (unsigned i = c.ndrives; i < CONFIG_DRIVES_MAX; i++) {
		snprintf(body, sizeof(body), "{\"drives\":[" DRIVE_BODY("n%u", "/etc/passwd") "]}",
			i);
		assert_int_equal(apply(&c, START, body, NULL), 0);
	}
	assert_int_equal(apply(&c, DRIVE, DRIVE_BODY("d0", "/etc/passwd"), NULL), 0);
	assert_int_equal(
		apply(&c, START, "{\"drives\":[" DRIVE_BODY("over", "/etc/passwd") "]}", &err),
		-EINVAL);
	config_fini(&c);
	after = dup(0);
	assert_int_equal(before, after);
	close(after);
}

static void test_file(void **state)
{
	struct err err = {0};
	struct config c;

	(void)state;
	config_init(&c);
	assert_int_equal(config_load_file(&c, "/nonexistent", &err), -ENOENT);
	assert_int_equal(config_load_file(&c, "/dev/zero", &err), -EFBIG);
	assert_int_equal(config_load_file(&c, "/dev/null", &err), -EINVAL);
	config_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_drives), cmocka_unit_test(test_file)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
