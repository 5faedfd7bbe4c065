/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of images under a manager that is killed: a child stores an image in the place of another and is killed by its
 * tracer before its first, second, third ... system call. What the next manager finds is the old image or the new one, complete, and
 * nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/image/name.h"
#include "daemon/image/store.h"
#include "lib/jsonx.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define IMAGE_BYTES 8192
#define CALLS_MAX   1000

struct setup {
	char dir[40], data[64];
};

static int setup(void **state)
{
	struct setup *s = calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/uig-store-XXXXXX");
	if (!mkdtemp(s->dir))
		return -1;
	snprintf(s->data, sizeof(s->data), "%s/image/data", s->dir);
	*state = s;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct setup *s = *state;

	nftw(s->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(s);
	return 0;
}

static unsigned count_files(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_type == DT_REG;
	closedir(d);
	return n;
}

/* Something that begins as an EROFS image does, filled with one byte. 0 or -errno. */
static int store(struct images *images, const char *name, char fill, const char *wanted)
{
	const uint32_t magic = 0xe0f5e1e2;
	struct content_upload *upload;
	struct content *content;
	char data[IMAGE_BYTES];
	struct image *image;
	bool replaced;
	int r = content_upload_new(images_contents(images), &upload, NULL);

	memset(data, fill, sizeof(data));
	memcpy(data + 1024, &magic, sizeof(magic));
	if (r < 0)
		return r;
	r = content_upload_write(upload, data, sizeof(data));
	if (r < 0)
		return r;
	r = content_upload_end(upload, wanted, &content, NULL);
	return r < 0 ? r
		     : images_add(images, name, content,
			       json_pack("{s:{s:s#}}", "labels", "fill", &fill, 1), &image,
			       &replaced, NULL);
}

/* The byte that the image is filled with, read back from the file; what the configuration says of it is the same. */
static char fill_of(const struct images *images, const char *name)
{
	const struct image *image = images_find(images, name);
	const json_t *fill;
	char digest[DIGEST_TEXT_BYTES], c;
	int fd;

	assert_non_null(image);
	fd = open(image_path(image), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, IMAGE_BYTES - 1), 1);
	assert_int_equal(digest_fd(fd, digest), 0);
	close(fd);
	assert_string_equal(digest, image_digest(image));
	fill = json_object_get(json_object_get(image->config, "labels"), "fill");
	assert_int_equal(*json_string_value(fill), c);
	return c;
}

static void replace(const char *dir)
{
	struct images *images;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	if (images_new(dir, &images, NULL) < 0 || store(images, "a", 'n', NULL) < 0)
		_exit(1);
	_exit(0);
}

/* True: it was killed before its call number n (entries and exits count); false: it came to its end before. */
static bool killed_at(const char *dir, unsigned n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		replace(dir);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status)) {
			assert_int_equal(status, 0);
			return false;
		}
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return true;
}

static void test_killed_anywhere(void **state)
{
	struct setup *s = *state;
	unsigned with_old = 0, with_new = 0;
	bool killed = true;

	for (unsigned n = 1; killed; n++) {
		struct collected collected = {0};
		struct images *images;
		char folder[64];

		assert_true(n < CALLS_MAX);
		assert_int_equal(images_new(s->dir, &images, NULL), 0);
		assert_int_equal(store(images, "a", 'o', NULL), 0);
		images_free(images);
		killed = killed_at(s->dir, n);
		assert_int_equal(images_new(s->dir, &images, NULL), 0);
		assert_int_equal(images_collect(images, true, &collected), 0);
		if (fill_of(images, "a") == 'o')
			with_old++;
		else
			with_new++;
		assert_ptr_equal(images_first(images)->next, NULL);
		images_free(images);
		snprintf(folder, sizeof(folder), "%s/image", s->dir);
		assert_int_equal(count_files(folder), 1);
		assert_int_equal(count_files(s->data), 1);
	}
	assert_true(with_old > 10 && with_new > 1);
}

static void test_shared_content(void **state)
{
	struct setup *s = *state;
	struct collected collected = {0};
	struct images *images;
	struct image *image, *held;
	char digest[DIGEST_TEXT_BYTES];

	assert_int_equal(images_new(s->dir, &images, NULL), 0);
	assert_int_equal(store(images, "a", 'x', NULL), 0);
	assert_int_equal(store(images, "b:latest", 'x', NULL), 0);
	assert_int_equal(count_files(s->data), 1);
	assert_ptr_equal(images_find(images, "a")->content, images_find(images, "b")->content);
	strcpy(digest, image_digest(images_find(images, "b:latest")));
	assert_int_equal(store(images, "c", 'y', digest), -EINVAL);
	assert_int_equal(images_resolve(images, digest, false, &image), 0);
	assert_int_equal(images_resolve(images, digest, true, &image), -EEXIST);
	digest[15] = '\0';
	assert_int_equal(images_resolve(images, digest, false, &image), 0);
	held = image_get(images_find(images, "a"));
	assert_int_equal(image_users(held), 1);
	assert_int_equal(image_delete(images, held, NULL), 0);
	assert_int_equal(image_delete(images, images_find(images, "b"), NULL), 0);
	assert_int_equal(images_collect(images, false, &collected), 0);
	assert_int_equal(count_files(s->data), 1);
	image_put(held);
	assert_int_equal(count_files(s->data), 0);
	assert_int_equal(collected.files, 0);
	images_free(images);
}

/* What an instance of the database names stays, until the instance goes. */
static void test_of_record(void **state)
{
	struct setup *s = *state;
	json_t *config = json_object(), *other = json_pack("{s:i}", "memory_mib", 16);
	struct collected collected = {0};
	struct images *images;
	struct image *mine;
	char path[200];

	assert_int_equal(images_new(s->dir, &images, NULL), 0);
	assert_int_equal(store(images, "a", 'x', NULL), 0);
	snprintf(path, sizeof(path), "%s", image_path(images_find(images, "a")));
	mine = image_of_record(images, "a", path, config);
	assert_ptr_not_equal(mine, images_find(images, "a"));
	assert_string_equal(image_path(mine), path);
	assert_int_equal(image_delete(images, images_find(images, "a"), NULL), 0);
	assert_int_equal(images_collect(images, true, &collected), 0);
	assert_int_equal(count_files(s->data), 1);
	image_put(mine);
	assert_int_equal(count_files(s->data), 0);
	mine = image_of_record(images, "a", path, other);
	assert_null(image_path(mine));
	image_put(mine);
	assert_null(image_of_record(images, "a", path, NULL));
	json_decref(config);
	json_decref(other);
	images_free(images);
}

static void test_digests(void **state)
{
	struct digest *d = digest_new();
	char text[DIGEST_TEXT_BYTES];

	(void)state;
	digest_add(d, "ab", 2);
	digest_add(d, "c", 1);
	digest_end(d, text);
	digest_free(d);
	/* FIPS 180-2, appendix B.1 */
	assert_string_equal(
		text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(digest_is_valid(text));
	assert_true(image_is_digest(text));
	assert_false(image_name_is_valid(text));
	text[70] = '\0';
	assert_false(digest_is_valid(text));
	assert_true(image_is_digest(text));
	assert_true(image_is_digest("sha256:01234567"));
	assert_false(image_is_digest("sha256:0123456"));
	assert_false(image_is_digest("sha256:0123456x"));
	assert_false(image_is_digest("sha256:0123456A"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_killed_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_record, setup, teardown),
		cmocka_unit_test(test_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
