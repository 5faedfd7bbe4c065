/* SPDX-License-Identifier: Apache-2.0 */
/* The state database and the records in it: what is written comes back, what is broken is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/core.h"
#include "daemon/image/store.h"
#include "daemon/state/db.h"
#include "daemon/state/keep.h"
#include "daemon/state/record.h"
#include "lib/jsonx.h"
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

struct setup {
	char dir[40], path[64];
	struct state_db *db;
	struct core core;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/uig-state-XXXXXX");
	if (!mkdtemp(s->dir) || state_db_open(s->dir, &s->db, NULL) < 0 ||
		images_new(s->dir, &s->core.images, NULL) < 0)
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/state.db", s->dir);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct setup *s = *state;

	state_db_close(s->db);
	images_free(s->core.images);
	nftw(s->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(s);
	return 0;
}

static int append(void *arg, const char *id, const char *record, size_t len)
{
	char *text = arg;

	assert_int_equal(len, strlen(record));
	sprintf(text + strlen(text), "%s=%s;", id, record);
	return 0;
}

static void expect_rows(struct setup *s, const char *rows)
{
	char text[256] = "";

	assert_int_equal(state_db_each(s->db, STATE_INSTANCE, append, text, NULL), 0);
	assert_string_equal(text, rows);
}

static void reopen(struct setup *s)
{
	state_db_close(s->db);
	s->db = NULL;
	assert_int_equal(state_db_open(s->dir, &s->db, NULL), 0);
}

static void test_rows(void **state)
{
	struct setup *s = *state;

	expect_rows(s, "");
	assert_int_equal(state_db_put(s->db, STATE_INSTANCE, "b", "1", NULL), 0);
	assert_int_equal(state_db_put(s->db, STATE_INSTANCE, "a", "2", NULL), 0);
	assert_int_equal(state_db_put(s->db, STATE_INSTANCE, "b", "3", NULL), 0);
	expect_rows(s, "b=3;a=2;");
	reopen(s);
	expect_rows(s, "b=3;a=2;");
	assert_int_equal(state_db_delete(s->db, STATE_INSTANCE, "b", NULL), 0);
	assert_int_equal(state_db_delete(s->db, STATE_INSTANCE, "b", NULL), 0);
	expect_rows(s, "a=2;");
}

/* Each table has its own ids. */
static void test_tables(void **state)
{
	struct setup *s = *state;
	char text[64] = "";

	assert_int_equal(state_db_put(s->db, STATE_INSTANCE, "a", "1", NULL), 0);
	assert_int_equal(state_db_put(s->db, STATE_APP, "a", "2", NULL), 0);
	assert_int_equal(state_db_delete(s->db, STATE_INSTANCE, "a", NULL), 0);
	reopen(s);
	expect_rows(s, "");
	assert_int_equal(state_db_each(s->db, STATE_APP, append, text, NULL), 0);
	assert_string_equal(text, "a=2;");
}

/* Somebody else's write transaction stands for a disk that fails. */
static void test_written_later(void **state)
{
	struct setup *s = *state;
	struct loop *loop = NULL;
	struct keep *keep = NULL;
	struct err err = {0};
	sqlite3 *other = NULL;

	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(keep_new(s->db, loop, &keep), 0);
	assert_int_equal(keep_put(keep, STATE_INSTANCE, "a", "1", &err), 0);
	assert_int_equal(sqlite3_open(s->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(keep_delete(keep, STATE_INSTANCE, "a", &err), -EIO);
	assert_int_equal(keep_put(keep, STATE_INSTANCE, "b", "2", &err), -EIO);
	assert_int_equal(keep_put(keep, STATE_INSTANCE, "b", "3", &err), -EIO);
	assert_int_equal(keep_put(keep, STATE_INSTANCE, "c", "4", &err), -EIO);
	assert_int_equal(keep_put(keep, STATE_APP, "c", "5", &err), -EIO);
	assert_int_equal(keep_delete(keep, STATE_INSTANCE, "c", &err), -EIO);
	assert_int_equal(keep_waiting(keep), 4);
	expect_rows(s, "a=1;");
	assert_int_equal(sqlite3_close_v2(other), SQLITE_OK); /* rolls back */
	assert_int_equal(keep_put(keep, STATE_APP, "c", "6", &err), 0);
	assert_int_equal(keep_waiting(keep), 3);
	while (keep_waiting(keep))
		assert_int_equal(loop_once(loop, -1), 0);
	expect_rows(s, "b=3;");
	keep_free(keep);
	loop_free(loop);
}

static int stop(void *arg, const char *id, const char *record, size_t len)
{
	(void)id;
	(void)record;
	(void)len;
	++*(int *)arg;
	return -ECANCELED;
}

static void test_each_stops(void **state)
{
	struct setup *s = *state;
	int calls = 0;

	state_db_put(s->db, STATE_INSTANCE, "a", "1", NULL);
	state_db_put(s->db, STATE_INSTANCE, "b", "2", NULL);
	assert_int_equal(state_db_each(s->db, STATE_INSTANCE, stop, &calls, NULL), -ECANCELED);
	assert_int_equal(calls, 1);
	expect_rows(s, "a=1;b=2;");
}

static void test_a_file_that_is_no_database(void **state)
{
	struct setup *s = *state;
	char aside[80];
	int fd;

	state_db_put(s->db, STATE_INSTANCE, "a", "1", NULL);
	state_db_close(s->db);
	s->db = NULL;
	fd = open(s->path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(write(fd, "this is no database\n", 20), 20);
	close(fd);
	reopen(s);
	expect_rows(s, "");
	snprintf(aside, sizeof(aside), "%s.unusable", s->path);
	assert_int_equal(access(aside, F_OK), 0);
	assert_int_equal(state_db_put(s->db, STATE_INSTANCE, "a", "1", NULL), 0);
	reopen(s);
	expect_rows(s, "a=1;");
}

/* A disk whose next reads fail, as many as that, after some that do not. */
static unsigned good_reads, bad_reads;

static ssize_t read_at(int fd, void *data, size_t len, off_t at)
{
	if (good_reads) {
		good_reads--;
	} else if (bad_reads) {
		bad_reads--;
		errno = EIO;
		return -1;
	}
	return pread(fd, data, len, at);
}

static void set_reads(sqlite3_syscall_ptr call)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	vfs->xSetSystemCall(vfs, "pread", call);
	vfs->xSetSystemCall(vfs, "pread64", call);
}

/* Whichever read it is: the file is not put aside for it, nor is it empty. */
static void test_a_read_that_fails(void **state)
{
	struct setup *s = *state;
	char aside[80];
	int r;

	state_db_put(s->db, STATE_INSTANCE, "a", "1", NULL);
	snprintf(aside, sizeof(aside), "%s.unusable", s->path);
	set_reads((sqlite3_syscall_ptr)read_at);
	for (unsigned n = 0; bad_reads == 0; n++) {
		state_db_close(s->db);
		s->db = NULL;
		good_reads = n;
		bad_reads = 1;
		r = state_db_open(s->dir, &s->db, NULL);
		assert_true(r == 0 || r == -EIO);
		assert_int_equal(access(aside, F_OK), -1);
		if (r == 0 && bad_reads == 0)
			expect_rows(s, "a=1;");
	}
	set_reads(NULL);
	good_reads = bad_reads = 0;
	reopen(s);
	expect_rows(s, "a=1;");
}

static void test_no_folder(void **state)
{
	struct state_db *db = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(state_db_open("/nonexistent", &db, &err), -EIO);
	assert_non_null(strstr(err.msg, "/nonexistent/state.db"));
	assert_null(db);
}

/* --- records --------------------------------------------------------------------------------------------------- */
static char *text_of(const struct instance *i)
{
	_cleanup_json_ json_t *record = record_of(i);

	assert_non_null(record);
	return json_dumps(record, JSON_COMPACT);
}

static void free_words(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

static void fini(struct instance *i)
{
	free_words(i->argv);
	free_words(i->env);
	free(i->cmdline);
	json_decref(i->labels);
	json_decref(i->volumes);
	json_decref(i->missing_calls);
	json_decref(i->steps);
	image_put(i->image);
}

static char full_record[] =
	"{\"id\":\"00000000-0000-4000-8000-000000000000\",\"name\":\"n\",\"state\":\"running\","
	"\"ahead\":true,\"ready\":true,"
	"\"from_pool\":false,\"auto_remove\":true,\"wanted_down\":false,\"exit_code\":null,"
	"\"reason\":\"\","
	"\"image\":{\"name\":\"i\",\"path\":null,\"config\":{\"ports\":[80]}},"
	"\"shell\":{\"monitor\":\"uvmm\",\"memory_mib\":64,\"vcpus\":1,\"ip\":168427522,\"static_"
	"ip\":0,\"kernel\":\"next\"},"
	"\"argv\":[\"/bin/x\",\"a b\"],\"env\":null,\"labels\":{\"k\":\"v\"},"
	"\"ports\":[{\"ip\":2130706433,\"host\":8080,\"guest\":80,\"udp\":true}],"
	"\"restart\":{\"policy\":\"always\",\"max_retries\":0,\"count\":2,\"pending\":false,\"wait_"
	"ns\":9},"
	"\"ttl_s\":0,\"key\":\"k\",\"key_hash\":-3,"
	"\"mark\":{\"app\":\"a\",\"service\":\"s\",\"serial\":4,\"hash\":-5,\"dismissed\":false},"
	"\"vsock\":{\"cid\":9},\"limits\":{\"cpu_percent\":150,\"cpu_weight\":null,\"pids\":64},"
	"\"trace\":true,\"missing_calls\":[\"fork\"],"
	"\"request_ns\":5,\"start_ns\":6,"
	"\"ready_ns\":7,\"created\":1000000001,"
	"\"started\":2,\"steps\":[5,5,5,6,7],"
	"\"ended\":0,"
	"\"monitor_steps\":[{\"step\":\"parsed\",\"by\":\"monitor\",\"us\":1.5}],"
	"\"monitor_steps_ns\":6}";

static void test_record_comes_back(void **state)
{
	struct setup *s = *state;
	struct instance i = {.core = &s->core};
	_cleanup_free_ char *text = NULL;
	struct err err = {0};

	if (record_load(&i, full_record, strlen(full_record), &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(i.state, VM_RUNNING);
	assert_true(i.ahead);
	assert_int_equal(i.ip, 168427522);
	assert_ptr_equal(i.spec.ops, &monitor_uvmm);
	assert_string_equal(i.argv[1], "a b");
	assert_null(i.argv[2]);
	assert_int_equal(i.port_count, 1);
	assert_int_equal(i.ports[0].guest_port, 80);
	assert_true(i.ports[0].udp);
	assert_true(i.vsock.wanted && i.vsock.cid == 9);
	assert_string_equal(i.spec.kernel, "next");
	assert_int_equal(i.limits.cpu_percent, 150);
	assert_int_equal(i.limits.cpu_weight, 0);
	assert_int_equal(i.limits.pids, 64);
	assert_int_equal(i.created.tv_sec, 1);
	assert_int_equal(i.created.tv_nsec, 1);
	assert_int_equal(i.step_ns[STEP_STARTED], 6);
	text = text_of(&i);
	assert_string_equal(text, full_record);
	fini(&i);
}

/* A VM that waits for a shell of the pool has none of the ports yet that the kernel is to choose. */
static void test_port_to_be_chosen(void **state)
{
	struct setup *s = *state;
	json_t *record = json_loads(full_record, 0, NULL);
	struct instance i = {.core = &s->core};
	_cleanup_free_ char *text = NULL;

	json_object_set_new(
		json_array_get(json_object_get(record, "ports"), 0), "host", json_integer(0));
	text = json_dumps(record, 0);
	json_decref(record);
	assert_int_equal(record_load(&i, text, strlen(text), NULL), 0);
	assert_int_equal(i.port_count, 1);
	assert_int_equal(i.ports[0].host_port, 0);
	fini(&i);
}

/* Each field once missing, once of another type. */
static void test_broken_records(void **state)
{
	struct setup *s = *state;
	json_t *whole = json_loads(full_record, 0, NULL), *value;
	const char *key;
	unsigned refused = 0;

	json_object_foreach(whole, key, value)
	{
		bool optional = strcmp(key, "exit_code") == 0 || strcmp(key, "ahead") == 0 ||
			strcmp(key, "missing_calls") == 0 || strcmp(key, "argv") == 0 ||
			strcmp(key, "env") == 0 || strcmp(key, "ports") == 0 ||
			strcmp(key, "mark") == 0 || strcmp(key, "vsock") == 0 ||
			strcmp(key, "limits") == 0 || strcmp(key, "steps") == 0 ||
			strncmp(key, "monitor_steps", strlen("monitor_steps")) == 0;

		for (int other = 0; other < 2 && !optional; other++) {
			json_t *broken = json_copy(whole);
			struct instance i = {.core = &s->core};
			char *text;

			if (other)
				json_object_set_new(broken, key, json_array());
			else
				json_object_del(broken, key);
			text = json_dumps(broken, 0);
			refused += record_load(&i, text, strlen(text), NULL) < 0;
			fini(&i);
			free(text);
			json_decref(broken);
		}
	}
	assert_int_equal(refused, (json_object_size(whole) - 12) * 2);
	json_decref(whole);
}

static void refuse(struct setup *s, const char *from, const char *to)
{
	struct instance i = {.core = &s->core};
	const char *at = strstr(full_record, from);
	struct err err = {0};
	char text[2000];

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - full_record), full_record, to,
		at + strlen(from));
	assert_true(record_load(&i, text, strlen(text), &err) < 0);
	assert_true(err.msg[0]);
	fini(&i);
}

static void test_bad_values(void **state)
{
	struct setup *s = *state;

	refuse(s, "\"pids\":64", "\"pids\":1");
	refuse(s, "\"limits\":{", "\"limits\":[],\"x\":{");
	refuse(s, "[5,5,5,6,7]", "[5,5,5,6,7,8]");
	refuse(s, "[5,5,5,6,7]", "[5,-1]");
	refuse(s, "[5,5,5,6,7]", "[5,\"5\"]");
	refuse(s, "[5,5,5,6,7]", "{}");
	refuse(s, "\"kernel\":\"next\"", "\"kernel\":1");
	refuse(s, "{\"cid\":9}", "{\"cid\":2}");
	refuse(s, "{\"cid\":9}", "[]");
	refuse(s, "\"running\"", "\"walking\"");
	refuse(s, "\"uvmm\"", "\"other\"");
	refuse(s, "\"memory_mib\":64", "\"memory_mib\":0");
	refuse(s, "\"always\"", "\"sometimes\"");
	refuse(s, "\"env\":null", "\"env\":[1]");
	refuse(s, "\"host\":8080", "\"host\":80800");
	refuse(s, "\"a b\"", "7");
	refuse(s, "\"ports\":[80]", "\"ports\":[0]");
	refuse(s, "00000000-0000-4000", "000000000000000000000000000-0000-4000");
	refuse(s, "}]", "}");
	refuse(s, "\"serial\":4", "\"serial\":0");
	refuse(s, "\"service\":\"s\"", "\"service\":7");
}

/* What was written in rows is taken over from the journal when nothing more comes. */
static void test_journal(void **state)
{
	struct setup *s = *state;
	struct keep *keep;
	struct loop *loop;
	char id[16], record[4000];

	memset(record, 'x', sizeof(record) - 1);
	record[sizeof(record) - 1] = '\0';
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(keep_new(s->db, loop, &keep), 0);
	for (int n = 0; state_db_journal_pages(s->db) < 1000; n++) {
		snprintf(id, sizeof(id), "%d", n);
		assert_int_equal(keep_put(keep, STATE_INSTANCE, id, record, NULL), 0);
		assert_true(n < 2000);
	}
	while (state_db_journal_pages(s->db) > 0)
		assert_int_equal(loop_once(loop, 10000), 0);
	assert_int_equal(keep_put(keep, STATE_INSTANCE, "0", "later", NULL), 0);
	assert_in_range(state_db_journal_pages(s->db), 1, 10);
	keep_free(keep);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_no_database, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_read_that_fails, setup, teardown),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test_setup_teardown(test_record_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_to_be_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_values, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
