/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace becomes: lists and manifests, which the validator takes. */
#include "tests/unit/cli/test.h"

#include "cli/image/manifest.h"
#include "cli/trace/draft.h"

#include <errno.h>

static void add_all(struct draft *d, const char *const *paths)
{
	for (; *paths; paths++)
		draft_add_file(d, *paths);
}

static void test_list(void **state)
{
	static const char *const paths[] = {"/usr/b", "/usr/a", "/usr/b", "/proc/self/maps",
		"/tmp/x", "/tmpx", "/dev/null", "/sys/x", "/run/x", "/var/tmp/x", "/etc/passwd",
		"/etc/ld.so.cache", "/var/cache/x", "/var/cached", "/usr/new\nline", NULL};
	struct buf out _cleanup_buf_ = {0};
	struct draft d _cleanup_(draft_fini) = {0};

	(void)state;
	add_all(&d, paths);
	assert_int_equal(draft_list(&d, &out), 0);
	assert_string_equal(out.data, "/tmpx\n/usr/a\n/usr/b\n/var/cached\n");
}

/* A file of a temporary folder that the program was told of is no temporary one; what an instance makes anew stays out all the same. */
static void test_told(void **state)
{
	static const char *const argv[] = {"p", "/tmp/a", "-c", "--from=/var/tmp/b", "x/tmp/c",
		"/proc/self/maps", "/tmp/new\nline", "/tmp/folder", NULL};
	static const char *const paths[] = {"/tmp/a", "/tmp/ab", "/var/tmp/b", "/tmp/c",
		"/proc/self/maps", "/tmp/new\nline", "/tmp/folder/inside", NULL};
	struct buf out _cleanup_buf_ = {0};
	struct draft d _cleanup_(draft_fini) = {.argv = argv};

	(void)state;
	add_all(&d, paths);
	assert_int_equal(draft_list(&d, &out), 0);
	assert_string_equal(out.data, "/tmp/a\n/var/tmp/b\n");
}

/* Arguments that begin where the program ran do so in the image, too. */
static void test_folder(void **state)
{
	static const char *const argv[] = {"/bin/p", "./a", "--from=sub/b", "c", NULL};
	static const char *const absolute[] = {"/bin/p", "/tmp/here/c", NULL};
	static const char *const paths[] = {
		"/tmp/here/a", "/tmp/here/sub/b", "/tmp/here/unsaid", "/tmp/hereabouts/c", NULL};
	struct buf out _cleanup_buf_ = {0}, plain _cleanup_buf_ = {0};
	struct draft d _cleanup_(draft_fini) = {.argv = argv, .cwd = "/tmp/here"};
	struct draft other _cleanup_(draft_fini) = {.argv = absolute, .cwd = "/tmp/here"};

	(void)state;
	add_all(&d, paths);
	assert_int_equal(d.nfiles, 2);
	assert_int_equal(draft_manifest(&d, "p", "/bin/p", argv, &out), 0);
	assert_non_null(strstr(out.data, "\ncwd: /tmp/here\n"));
	draft_add_file(&other, "/tmp/here/c");
	assert_int_equal(other.nfiles, 1);
	assert_int_equal(draft_manifest(&other, "p", "/bin/p", absolute, &plain), 0);
	assert_null(strstr(plain.data, "cwd"));
}

/* What the program made and removed again is no part of an image. */
static void test_gone(void **state)
{
	static const char *const paths[] = {"/usr/no such file", "/usr/bin/env", NULL};
	struct draft d _cleanup_(draft_fini) = {0};
	struct err err = {0};

	(void)state;
	add_all(&d, paths);
	assert_int_equal(draft_drop_found(&d, "/bin/true", &err), 0);
	assert_int_equal(d.nfiles, 1);
	assert_string_equal(d.files[0], "/usr/bin/env");
}

static void test_many(void **state)
{
	struct draft d _cleanup_(draft_fini) = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/usr/%d", i % 500);
		draft_add_file(&d, path);
		draft_add_port(&d, (uint16_t)(1 + i % 70));
	}
	assert_int_equal(d.nfiles, 500);
	assert_int_equal(d.nports, DRAFT_MAX_PORTS);
	assert_true(d.truncated);
}

static void test_manifest(void **state)
{
	static const char *const paths[] = {"/usr/lib/x y\"\\", "/etc/x.conf", "/home/a/b", NULL};
	const char *argv[] = {"p", "--x=1", "two \"words\"", "", NULL};
	struct buf out _cleanup_buf_ = {0};
	struct draft d _cleanup_(draft_fini) = {0};
	struct yaml doc _cleanup_(yaml_fini) = {0};
	struct err err = {0};
	const json_t *args;

	(void)state;
	add_all(&d, paths);
	draft_add_port(&d, 8080);
	draft_add_port(&d, 443);
	assert_int_equal(draft_manifest(&d, "a/b:c", "/usr/bin/p", argv, &out), 0);
	if (yaml_load("m", out.data, out.len, &doc, &err) || manifest_check(&doc, true, &err))
		fail_msg("%s\n%s", err.msg, out.data);
	assert_string_equal(json_string_value(json_object_get(doc.root, "program")), "/usr/bin/p");
	args = json_object_get(doc.root, "args");
	assert_int_equal(json_array_size(args), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(json_string_value(json_array_get(args, i)), argv[i + 1]);
	assert_int_equal(json_array_size(json_object_get(doc.root, "files")), 3);
	assert_contains(out.data, "/home/a/b, to: /home/a/b} # needs --host-files\n");
	assert_contains(out.data, "ports: [8080, 443]\nreadiness: {tcp: 8080}\n");
	assert_contains(out.data, "\"/usr/lib/x y\\\"\\\\\"");
}

static void test_named(void **state)
{
	static const char *const paths[] = {"/usr/a/x", "/usr/ab", "/usr/f", NULL};
	static const char text[] =
		"name: a\nprogram: p\nfiles: [{from: x, to: /usr/a}, {from: /usr/g, to: /usr/f}]\n";
	struct buf out _cleanup_buf_ = {0};
	struct draft d _cleanup_(draft_fini) = {0};
	struct yaml doc _cleanup_(yaml_fini) = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(yaml_load("m", text, strlen(text), &doc, &err), 0);
	add_all(&d, paths);
	draft_drop_named(&d, doc.root);
	assert_int_equal(draft_lines(&d, &out), 0);
	assert_string_equal(out.data, "  - {from: /usr/ab, to: /usr/ab}\n");
}

/* This test needs libcmocka; what a build finds is dropped, the rest stays. */
static void test_found(void **state)
{
	static const char *const paths[] = {"/lib/x86_64-linux-gnu/libc.so.6",
		"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libcmocka.so.0",
		"/usr/bin/env", "/usr/lib/x86_64-linux-gnu/libutil.so.1", NULL};
	struct buf out _cleanup_buf_ = {0};
	struct draft d _cleanup_(draft_fini) = {0};
	struct err err = {0};

	(void)state;
	add_all(&d, paths);
	draft_add_file(&d, "/proc/self/exe");
	assert_int_equal(draft_drop_found(&d, "/proc/self/exe", &err), 0);
	assert_int_equal(draft_list(&d, &out), 0);
	assert_string_equal(out.data, "/usr/bin/env\n/usr/lib/x86_64-linux-gnu/libutil.so.1\n");
	assert_int_equal(draft_drop_found(&d, "/etc/hostname-none", &err), -ENOENT);
	assert_int_equal(draft_drop_found(&d, "/etc/passwd", &err), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
