/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's options: paths are taken where the daemon was started; what is not usable is refused by a sentence. */
#include "daemon/config.h"
#include "lib/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int load(struct config *config, struct err *err, const char *option, const char *value)
{
	char program[] = "uigniterd";
	char *argv[] = {program, strdup(option), strdup(value), NULL};
	int r = config_load(3, argv, config, err);

	free(argv[1]);
	free(argv[2]);
	return r;
}

static void test_relative_paths(void **state)
{
	struct config config;
	struct err err = {0};

	(void)state;
	assert_int_equal(chdir("/usr"), 0);
	assert_int_equal(load(&config, &err, "--uvmm", "bin/env"), 0);
	assert_string_equal(config.uvmm, "/usr/bin/env");
	config_fini(&config);
	assert_int_equal(load(&config, &err, "--libos", "./bin/../bin/env"), 0);
	assert_string_equal(config.libos, "/usr/bin/env");
	config_fini(&config);
	assert_int_equal(load(&config, &err, "--uvmm", "/usr/bin/env"), 0);
	assert_string_equal(config.uvmm, "/usr/bin/env");
	config_fini(&config);
	assert_int_equal(load(&config, &err, "--uvmm", "no/such/thing"), 0);
	assert_string_equal(config.uvmm, "no/such/thing");
	config_fini(&config);
}

/* A flag takes no value on the command line, and true or false in a file. */
static void test_flag(void **state)
{
	char name[] = "uigniterd", nat[] = "--nat", file_option[] = "--config";
	char path[] = "/tmp/uig-config-XXXXXX", text[] = "nat: true\n";
	char *argv[] = {name, nat, NULL}, *with_file[] = {name, file_option, path, NULL};
	struct config config;
	struct err err = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(config_load(1, argv, &config, &err), 0);
	assert_int_equal(config.nat, 0);
	config_fini(&config);
	assert_int_equal(config_load(2, argv, &config, &err), 0);
	assert_int_equal(config.nat, 1);
	config_fini(&config);
	assert_int_equal(load(&config, &err, "--nat", "yes"), -EINVAL);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(config_load(3, with_file, &config, &err), 0);
	assert_int_equal(config.nat, 1);
	config_fini(&config);
	assert_int_equal(pwrite(fd, "nat: 17  \n", 10, 0), 10);
	assert_int_equal(config_load(3, with_file, &config, &err), -EINVAL);
	close(fd);
	unlink(path);
}

static void test_off_loopback(void **state)
{
	char name[] = "uigniterd", listen[] = "--listen", address[] = "10.0.0.1:80";
	char option[] = "--token-file", file[] = "/etc/token";
	char *argv[] = {name, listen, address, option, file, NULL};
	struct config config;
	struct err err = {0};

	(void)state;
	assert_int_equal(config_load(3, argv, &config, &err), -EINVAL);
	assert_int_equal(config_load(5, argv, &config, &err), 0);
	assert_int_equal(config.listen_ip >> 24, 10);
	assert_string_equal(config.token_file, "/etc/token");
	config_fini(&config);
}

static void test_refused(void **state)
{
	static const char *const bad[][2] = {
		{"--listen", "0.0.0.0:6666"},
		{"--listen", "127.0.0.1"},
		{"--listen", "127.0.0.1:0"},
		{"--listen", "127.0.0.1:65536"},
		{"--run-dir", "run"},
		{"--state-dir", "state"},
		{"--log-level", "loud"},
		{"--log-format", "xml"},
		{"--on-exhausted", "later"},
		{"--monitor-uid", "-1"},
		{"--process-user", "nobody-of-that-name"},
		{"--pool", "-1"},
		{"--pool-memory", "1"},
		{"--subnet", "10.0.0.0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config config;
		struct err err = {0};

		assert_true(load(&config, &err, bad[i][0], bad[i][1]) < 0);
		assert_true(strlen(err.msg) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relative_paths),
		cmocka_unit_test(test_flag),
		cmocka_unit_test(test_off_loopback),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
