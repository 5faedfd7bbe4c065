/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/storage/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned char head[] =
	"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\2\0\0\0\x90\x77\x53\xde";
#define HEAD_LEN (sizeof(head) - 1)

static char path[32];
static struct blob_dir *dir;

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/uig-blob-XXXXXX");
	assert_non_null(mkdtemp(path));
	return blob_open(path, 200, &dir, NULL);
}

/* Files in the folder; removes them when told. */
static int files(bool clear)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		n++;
		if (clear)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return n;
}

static int teardown(void **state)
{
	(void)state;
	blob_close(dir);
	files(true);
	return rmdir(path);
}

static int dirfd_of(void)
{
	static int fd = -1;

	if (fd >= 0)
		close(fd);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	return fd;
}

/* Stands in for the C library's: a file system that does not know the flag. */
static bool flags_unknown;

int renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned int flags)
{
	if (!flags_unknown)
		return (int)syscall(SYS_renameat2, old_dir, old, new_dir, new, flags);
	errno = EINVAL;
	return -1;
}

/* As storage does it, on one thread. */
static int commit(struct blob_writer *w, const char *id, enum blob_kind kind)
{
	int r = blob_seal(w) ?: blob_name_free(w, id, kind);

	if (r == -EEXIST)
		r = blob_sync(w);
	r = r ?: blob_name(w, id, kind) ?: blob_sync(w);
	blob_end(w);
	return r;
}

/* Whether it is whole: 0, or the error of reading it. By one read and in pieces the same is found. */
static int look(const char *id, enum blob_kind kind, struct blob_info *info)
{
	int r;

	blob_set_memory(dir, 0);
	r = blob_read(dir, id, kind, info);
	if (r == 0) {
		assert_null(info->data);
		assert_true(info->fd >= 0);
		blob_read_end(dir, info);
	}
	blob_set_memory(dir, BLOB_MEMORY_BYTES);
	assert_int_equal(blob_read(dir, id, kind, info), r);
	if (r == 0) {
		assert_non_null(info->data);
		assert_int_equal(info->fd, -1);
		assert_int_equal(blob_held(dir), info->bytes + BLOB_TRAILER_BYTES);
		blob_read_end(dir, info);
	}
	assert_int_equal(blob_held(dir), 0);
	return r;
}

static int put(const char *id, enum blob_kind kind, const void *data, size_t len)
{
	struct blob_writer *w;
	int r;

	assert_int_equal(blob_begin(dir, 100, len / 2, &w), 0);
	/* Byte by byte, and more than was told: every check must also work at the edges. */
	for (size_t i = 0; i < len; i++) {
		r = blob_write(w, (const char *)data + i, 1);
		if (r < 0) {
			blob_end(w);
			return r;
		}
	}
	return commit(w, id, kind);
}

static void test_ids(void **state)
{
	static const char *const bad[] = {"", "a", "1a", "-1", "+1", " 1", "1 ", "../1", "1/2", ".",
		"1.png", "1234567890123456789"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(blob_id_good(bad[i]));
	assert_true(blob_id_good("0"));
	assert_true(blob_id_good("123456789012345678"));
}

static void test_kinds(void **state)
{
	struct blob_info info;
	char text[64];

	assert_int_equal(look("1", BLOB_INPUT, &info), -ENOENT);
	assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN), 0);
	assert_true(blob_exists(dir, "1", BLOB_INPUT));
	assert_false(blob_exists(dir, "1", BLOB_RESULT));
	assert_int_equal(put("1", BLOB_RESULT, head, HEAD_LEN), 0);
	assert_int_equal(blob_count(dir), 2);
	assert_int_equal(look("1", BLOB_RESULT, &info), 0);
	assert_int_equal(info.bytes, HEAD_LEN);
	assert_int_equal(info.type, BLOB_PNG);
	assert_int_equal(info.st.st_size, HEAD_LEN + BLOB_TRAILER_BYTES);
	assert_int_equal(blob_read(dir, "1", BLOB_RESULT, &info), 0);
	assert_memory_equal(info.data, head, HEAD_LEN);
	blob_read_end(dir, &info);
	blob_set_memory(dir, 0);
	assert_int_equal(blob_read(dir, "1", BLOB_RESULT, &info), 0);
	assert_int_equal(read(info.fd, text, sizeof(text)), HEAD_LEN + BLOB_TRAILER_BYTES);
	assert_memory_equal(text, head, HEAD_LEN);
	blob_read_end(dir, &info);
	assert_int_equal(blob_remove(dir, "1"), 0);
	assert_int_equal(blob_remove(dir, "1"), -ENOENT);
	assert_int_equal(blob_bytes(dir), 0);
	assert_int_equal(files(false), 0);
}

static void test_refused(void **state)
{
	char big[120] = {0};

	memcpy(big, head, HEAD_LEN);
	assert_int_equal(put("1", BLOB_INPUT, "GIF89a", 6), -EBADMSG);
	assert_int_equal(put("1", BLOB_INPUT, "", 0), -EBADMSG);
	assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN - 1), -EBADMSG);
	assert_int_equal(put("1", BLOB_INPUT, big, sizeof(big)), -EMSGSIZE);
	assert_int_equal(put("1", BLOB_INPUT, big, 100), 0);
	assert_int_equal(put("2", BLOB_INPUT, big, 100), 0);
	assert_int_equal(put("3", BLOB_INPUT, head, HEAD_LEN), -ENOSPC); /* the quota of 200 */
	assert_int_equal(files(false), 2);
}

static void test_reopen(void **state)
{
	struct blob_writer *w;

	assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN), 0);
	assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN), 0); /* replaced, not counted twice */
	assert_int_equal(blob_bytes(dir), HEAD_LEN);
	blob_set_memory(dir, 0);
	assert_int_equal(blob_begin(dir, 100, 0, &w), 0);
	assert_int_equal(blob_write(w, head, HEAD_LEN), 0);
	assert_int_equal(files(false), 2);
	close(openat(
		dirfd_of(), "2.in", O_WRONLY | O_CREAT, 0600)); /* one that died before it wrote */
	blob_close(dir);                                        /* a crash: the writer is lost */
	free(w);
	assert_int_equal(blob_open(path, 200, &dir, NULL), 0);
	assert_int_equal(files(false), 1);
	assert_int_equal(blob_bytes(dir), HEAD_LEN);
	assert_int_equal(blob_count(dir), 1);
}

static int change(const char *name, off_t at, int add, off_t cut)
{
	int fd = openat(dirfd_of(), name, O_RDWR);
	struct stat st;
	unsigned char byte;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	if (add) {
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte = (unsigned char)(byte + add);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_int_equal(ftruncate(fd, st.st_size - cut), 0);
	return close(fd);
}

/* Every byte of a file is covered: of the picture by its checksum, of the trailer by its own. */
static void test_damage(void **state)
{
	struct blob_info info;

	assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN), 0);
	for (off_t at = 0; at < (off_t)HEAD_LEN + BLOB_TRAILER_BYTES; at++) {
		change("1.in", at, 1, 0);
		assert_int_equal(look("1", BLOB_INPUT, &info), -EBADMSG);
		change("1.in", at, -1, 0);
	}
	assert_int_equal(look("1", BLOB_INPUT, &info), 0);
	for (off_t cut = 1; cut <= (off_t)HEAD_LEN + BLOB_TRAILER_BYTES; cut++) {
		blob_close(dir); /* it has counted what is not there any more */
		assert_int_equal(blob_open(path, 200, &dir, NULL), 0);
		assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN), 0);
		change("1.in", 0, 0, cut);
		assert_int_equal(look("1", BLOB_INPUT, &info), -EBADMSG);
	}
}

static void assert_is(const char *id, const void *data, size_t len)
{
	struct blob_info info;

	assert_int_equal(blob_read(dir, id, BLOB_INPUT, &info), 0);
	assert_int_equal(info.bytes, len);
	assert_memory_equal(info.data, data, len);
	blob_read_end(dir, &info);
}

/* What is kept open is what has the name: also when another file has got it, when there was not even a descriptor, and when all were replaced. */
static void test_kept(void **state)
{
	static const unsigned char jpeg[] = "\xff\xd8\xff\xe0 and so on, at least sixteen";
	struct blob_info info;
	struct blob_writer *w;
	char id[8];

	assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN), 0);
	assert_is("1", head, HEAD_LEN);
	assert_int_equal(put("1", BLOB_INPUT, jpeg, sizeof(jpeg)), 0);
	assert_is("1", jpeg, sizeof(jpeg));
	assert_int_equal(blob_remove(dir, "1"), 0);
	assert_int_equal(blob_read(dir, "1", BLOB_INPUT, &info), -ENOENT);

	assert_int_equal(blob_begin(dir, 100, 0, &w), 0);
	assert_int_equal(blob_write(w, head, HEAD_LEN), 0);
	assert_int_equal(blob_seal(w) ?: blob_name_free(w, "1", BLOB_INPUT), 0);
	assert_is("1", head, HEAD_LEN);
	blob_unname(w, "1", BLOB_INPUT); /* its sync has failed */
	blob_end(w);
	assert_int_equal(blob_read(dir, "1", BLOB_INPUT, &info), -ENOENT);

	blob_close(dir);
	assert_int_equal(blob_open(path, 100000, &dir, NULL), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(
			put(id, BLOB_INPUT, i % 2 ? head : jpeg, i % 2 ? HEAD_LEN : sizeof(jpeg)),
			0);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_is(id, i % 2 ? head : jpeg, i % 2 ? HEAD_LEN : sizeof(jpeg));
	}
	assert_int_equal(blob_held(dir), 0);
}

static void test_types(void **state)
{
	static const unsigned char jpeg[] = "\xff\xd8\xff\xe0 and so on, at least sixteen";
	struct blob_info info;

	assert_int_equal(put("1", BLOB_INPUT, jpeg, sizeof(jpeg)), 0);
	assert_int_equal(look("1", BLOB_INPUT, &info), 0);
	assert_int_equal(info.type, BLOB_JPEG);
	assert_int_equal(put("2", BLOB_INPUT, jpeg, 2), -EBADMSG);
	assert_int_equal(put("2", BLOB_INPUT, jpeg + 1, 30), -EBADMSG);
	assert_int_equal(blob_type_of(head, 15), BLOB_UNKNOWN);
	assert_int_equal(blob_type_of(head, 16), BLOB_PNG);
}

/* What is being written counts: several at a time do not pass the quota together. */
static void test_quota_of_writers(void **state)
{
	struct blob_writer *a, *b;
	char big[90] = {0};

	memcpy(big, head, HEAD_LEN);
	assert_int_equal(blob_begin(dir, 100, 0, &a), 0);
	assert_int_equal(blob_begin(dir, 100, 0, &b), 0);
	assert_int_equal(blob_write(a, big, sizeof(big)), 0);
	assert_int_equal(blob_write(b, big, sizeof(big)), 0);
	assert_int_equal(blob_write(a, big, 21), -EMSGSIZE);
	assert_int_equal(put("3", BLOB_INPUT, head, HEAD_LEN), -ENOSPC);
	blob_end(b);
	assert_int_equal(put("3", BLOB_INPUT, head, HEAD_LEN), 0);
	assert_int_equal(commit(a, "4", BLOB_INPUT), 0);
	assert_int_equal(blob_bytes(dir), HEAD_LEN + 90);
}

static struct blob_writer *begin(const void *data, size_t len)
{
	struct blob_writer *w;

	assert_int_equal(blob_begin(dir, 100, 0, &w), 0);
	assert_int_equal(blob_write(w, data, len), 0);
	assert_int_equal(blob_seal(w), 0);
	return w;
}

/* A name is given once, taken back only from the picture that has it, and the counts follow. */
static void test_names(void **state)
{
	struct blob_writer *a = begin(head, HEAD_LEN), *b = begin(head, HEAD_LEN);

	assert_false(blob_named(a));
	assert_int_equal(blob_name(a, "1", BLOB_INPUT), 0);
	assert_int_equal(blob_name(a, "2", BLOB_INPUT), 0);
	assert_true(blob_named(a));
	assert_false(blob_exists(dir, "2", BLOB_INPUT));
	assert_int_equal(blob_sync(a), 0);
	assert_int_equal(blob_name(b, "1", BLOB_INPUT), 0);
	blob_unname(a, "1", BLOB_INPUT);
	assert_true(blob_exists(dir, "1", BLOB_INPUT));
	assert_int_equal(blob_count(dir), 1);
	blob_unname(b, "1", BLOB_INPUT);
	assert_false(blob_exists(dir, "1", BLOB_INPUT));
	assert_int_equal(blob_bytes(dir), 0);
	blob_end(a);
	blob_end(b);
	assert_int_equal(files(false), 0);
}

/* A name that is taken stays with who has it, whether the file system helps or not. */
static void test_free_names(void **state)
{
	for (int unknown = 0; unknown < 2; unknown++) {
		struct blob_writer *a = begin(head, HEAD_LEN), *b = begin(head, HEAD_LEN);

		flags_unknown = unknown;
		assert_int_equal(blob_name_free(a, "1", BLOB_INPUT), 0);
		assert_int_equal(blob_name_free(b, "1", BLOB_INPUT), -EEXIST);
		assert_true(blob_named(a));
		assert_false(blob_named(b));
		assert_int_equal(blob_count(dir), 1);
		assert_int_equal(blob_bytes(dir), HEAD_LEN);
		assert_int_equal(blob_name_free(b, "1", BLOB_RESULT), 0);
		assert_int_equal(blob_count(dir), 2);
		blob_end(a);
		blob_end(b);
		assert_int_equal(files(false), 2);
		assert_int_equal(blob_remove(dir, "1"), 0);
	}
	flags_unknown = false;
}

static void fill(unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	memcpy(data, head, HEAD_LEN);
}

/* Pictures around what is read at a time, told and not told, in pieces that do not fit: the same bytes come out, and the memory comes back. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {HEAD_LEN, 64 * KIB, BLOB_WRITE_BYTES - BLOB_TRAILER_BYTES,
		BLOB_WRITE_BYTES - BLOB_TRAILER_BYTES + 1, 3 * BLOB_WRITE_BYTES + 5,
		BLOB_READ_BYTES - BLOB_TRAILER_BYTES, BLOB_READ_BYTES - BLOB_TRAILER_BYTES + 1};
	_cleanup_free_ unsigned char *data = malloc(BLOB_READ_BYTES),
				     *got = malloc(BLOB_READ_BYTES);

	assert_non_null(data);
	assert_non_null(got);
	fill(data, BLOB_READ_BYTES);
	blob_close(dir);
	assert_int_equal(blob_open(path, 100 * MIB, &dir, NULL), 0);
	for (size_t i = 0; i < 3 * ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i % ARRAY_SIZE(sizes)], pieces[] = {4 * MIB, 64 * KIB, 99999},
		       piece = pieces[i / ARRAY_SIZE(sizes)];
		struct blob_writer *w;
		struct blob_info info;

		assert_int_equal(blob_begin(dir, 10 * MIB, i % 2 ? size : 0, &w), 0);
		for (size_t at = 0; at < size; at += piece)
			assert_int_equal(
				blob_write(w, data + at, size - at < piece ? size - at : piece), 0);
		assert_int_equal(commit(w, "5", BLOB_INPUT), 0);
		assert_int_equal(blob_held(dir), 0);
		assert_int_equal(blob_read(dir, "5", BLOB_INPUT, &info), 0);
		assert_int_equal(info.bytes, size);
		assert_int_equal(!info.data, size + BLOB_TRAILER_BYTES > BLOB_READ_BYTES);
		if (!info.data)
			assert_int_equal(pread(info.fd, got, size, 0), size);
		assert_memory_equal(info.data ? info.data : got, data, size);
		blob_read_end(dir, &info);
		assert_int_equal(blob_held(dir), 0);
	}
}

/* Memory is bounded: who comes when there is none goes without. */
static void test_memory(void **state)
{
	struct blob_info a, b;
	struct blob_writer *w;

	assert_int_equal(put("1", BLOB_INPUT, head, HEAD_LEN), 0);
	blob_set_memory(dir, 2 * (HEAD_LEN + BLOB_TRAILER_BYTES) - 1);
	assert_int_equal(blob_read(dir, "1", BLOB_INPUT, &a), 0);
	assert_non_null(a.data);
	assert_int_equal(blob_read(dir, "1", BLOB_INPUT, &b), 0);
	assert_null(b.data);
	assert_int_equal(blob_begin(dir, 100, HEAD_LEN, &w), 0);
	assert_int_equal(blob_write(w, head, HEAD_LEN), 0);
	assert_int_equal(blob_held(dir), HEAD_LEN + BLOB_TRAILER_BYTES);
	assert_int_equal(commit(w, "1", BLOB_RESULT), 0);
	blob_read_end(dir, &a);
	blob_read_end(dir, &b);
	assert_int_equal(blob_held(dir), 0);
	assert_int_equal(look("1", BLOB_RESULT, &a), 0);
}

static void test_one_owner(void **state)
{
	struct blob_dir *other;
	struct err err;

	assert_int_equal(blob_open(path, 1, &other, &err), -EBUSY);
}

static void test_bad_folder(void **state)
{
	struct blob_dir *none;
	struct err err;

	assert_int_equal(blob_open("/nonexistent/x", 1, &none, &err), -ENOENT);
	assert_int_equal(blob_open("/dev/null", 1, &none, &err), -ENOTDIR);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reopen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quota_of_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_folder, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
