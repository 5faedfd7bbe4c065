/* SPDX-License-Identifier: Apache-2.0 */
/* Files of snapshots: what is damaged, cut, foreign or out of bounds is refused with a reason, whatever field it is in. */
#include "lib/err.h"
#include "vmm/snapshot/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* behind the four headers that it needs */
#include <cmocka.h>

#define PAGE 4096u
#define RAM  (4u << 20)

static void fill(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	strcpy(s->monitor, UIGNITER_VERSION);
	s->abi_version = UIG_ABI_VERSION;
	s->libos_id_bytes = 20;
	memset(s->libos_id, 7, 20);
	s->cpu = 42;
	s->ram_bytes = RAM;
	s->generation = 1;
	s->nextents = 2;
	s->extent[0] = (struct snapshot_extent){PAGE, 2 * PAGE};
	s->extent[1] = (struct snapshot_extent){RAM - PAGE, PAGE};
	s->mem_pages = 3;
	s->ndevices = 2;
	snapshot_seal(s);
}

static int parse(const struct snapshot *s)
{
	static struct snapshot out;
	struct err err = {0};
	int r = snapshot_parse(s, sizeof(*s), &out, &err);

	assert_int_equal(r < 0, err.msg[0] != '\0');
	return r;
}

static void good(void **state)
{
	struct snapshot s;

	fill(&s);
	assert_int_equal(parse(&s), 0);
}

static void cut_and_long(void **state)
{
	static uint8_t data[sizeof(struct snapshot) + 8];
	static struct snapshot out;
	struct snapshot s;
	struct err err = {0};

	fill(&s);
	memcpy(data, &s, sizeof(s));
	for (size_t n = 0; n <= sizeof(data); n++) {
		int r = snapshot_parse(data, n, &out, &err);

		assert_int_equal(r == 0, n == sizeof(s));
	}
}

/* Not one bit of the file may be another. */
static void damaged(void **state)
{
	struct snapshot s;
	uint8_t *bytes = (uint8_t *)&s;

	fill(&s);
	for (size_t i = 0; i < sizeof(s); i += i < 2048 ? 1 : 61) {
		bytes[i] ^= (uint8_t)(1u << i % 8);
		assert_true(parse(&s) < 0);
		bytes[i] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(parse(&s), 0);
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct snapshot s;                                                                 \
		fill(&s);                                                                          \
		change;                                                                            \
		snapshot_seal(&s);                                                                 \
		assert_true(parse(&s) < 0);                                                        \
	} while (0)

/* With a digest that is right: made on purpose. */
static void out_of_bounds(void **state)
{
	REFUSED(memset(s.monitor, 'x', sizeof(s.monitor)));
	REFUSED(s.libos_id_bytes = sizeof(s.libos_id) + 1);
	REFUSED(s.ram_bytes = 0);
	REFUSED(s.ram_bytes = RAM + 1);
	REFUSED(s.ram_bytes = 1ull << 62);
	REFUSED(s.image_bytes = UINT64_MAX);
	REFUSED(s.cr3 = 1);
	REFUSED(s.cr3 = 1ull << 50);
	REFUSED(s.ndevices = UIG_DEVICES_MAX + 1);
	REFUSED(s.cpu_state.nmsrs = CPU_STATE_MSRS + 1);
	REFUSED(s.generation = UINT32_MAX);
	REFUSED(s.nextents = SNAPSHOT_EXTENTS_MAX + 1);
	REFUSED(s.mem_pages = 4);
	REFUSED(s.extent[0].offset = 1);
	REFUSED(s.extent[0].bytes = 0);
	REFUSED(s.extent[0].bytes = PAGE + 1);
	REFUSED(s.extent[0].bytes = RAM);
	REFUSED(s.extent[1].offset = 0);
	REFUSED(s.extent[1].offset = RAM);
	REFUSED(s.extent[1].offset = UINT64_MAX - PAGE + 1);
	REFUSED(s.extent[1].bytes = UINT64_MAX - PAGE + 1);
}

static void heads(void **state)
{
	struct snapshot s;

	fill(&s);
	s.magic++;
	assert_true(parse(&s) < 0);
	fill(&s);
	s.version++;
	assert_true(parse(&s) < 0);
	fill(&s);
	s.bytes--;
	assert_true(parse(&s) < 0);
}

static bool fits(const struct snapshot *s)
{
	static const uint8_t id[20] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
	const struct snapshot_host host = {
		.cpu = 42, .ram_bytes = RAM, .libos_id = id, .libos_id_bytes = sizeof(id)};
	struct err err = {0};
	int r = snapshot_fits(s, &host, &err);

	assert_int_equal(r < 0, err.msg[0] != '\0');
	return r == 0;
}

static void foreign(void **state)
{
	struct snapshot s;

	fill(&s);
	assert_true(fits(&s));
	s.cpu++;
	assert_false(fits(&s));
	fill(&s);
	s.libos_id[19]++;
	assert_false(fits(&s));
	fill(&s);
	s.libos_id_bytes = 0;
	assert_false(fits(&s));
	fill(&s);
	s.ram_bytes *= 2;
	assert_false(fits(&s));
	fill(&s);
	s.abi_version++;
	assert_false(fits(&s));
	fill(&s);
	strcat(s.monitor, "x");
	assert_false(fits(&s));
}

/* The digest of a memory file is that of its runs of pages, wherever it has holes. */
static void memory(void **state)
{
	static uint8_t page[3 * PAGE];
	int fd = memfd_create("memory", MFD_CLOEXEC);
	struct sha256 sha;
	struct snapshot s;
	struct err err = {0};

	fill(&s);
	memset(page, 3, sizeof(page));
	assert_int_equal(ftruncate(fd, RAM), 0);
	assert_int_equal(pwrite(fd, page, 2 * PAGE, PAGE), 2 * PAGE);
	assert_int_equal(pwrite(fd, page, PAGE, RAM - PAGE), PAGE);
	sha256_init(&sha);
	snapshot_digest_run(&sha, PAGE, page, 2 * PAGE);
	snapshot_digest_run(&sha, RAM - PAGE, page, PAGE);
	sha256_end(&sha, s.mem_digest);
	assert_int_equal(snapshot_check_memory(&s, fd, true, &err), 0);
	s.extent[0] = (struct snapshot_extent){0, 4 * PAGE};
	assert_int_equal(snapshot_check_memory(&s, fd, true, &err), 0);
	assert_int_equal(pwrite(fd, "x", 1, PAGE + 100), 1);
	assert_true(snapshot_check_memory(&s, fd, true, &err) < 0);
	assert_int_equal(snapshot_check_memory(&s, fd, false, &err), 0);
	assert_int_equal(ftruncate(fd, RAM - 1), 0);
	assert_true(snapshot_check_memory(&s, fd, false, &err) < 0);
	close(fd);
}

/* FIPS 180-4's own examples, whole and in pieces of every length. */
static void sha(void **state)
{
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static const uint8_t want[SHA256_BYTES] = {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8,
		0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39, 0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff,
		0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1};
	uint8_t is[SHA256_BYTES];
	struct sha256 s;

	for (size_t part = 1; part < sizeof(text); part++) {
		sha256_init(&s);
		for (size_t at = 0; at < sizeof(text) - 1; at += part)
			sha256_add(&s, text + at,
				sizeof(text) - 1 - at < part ? sizeof(text) - 1 - at : part);
		sha256_end(&s, is);
		assert_memory_equal(is, want, sizeof(is));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(cut_and_long),
		cmocka_unit_test(damaged),
		cmocka_unit_test(out_of_bounds),
		cmocka_unit_test(heads),
		cmocka_unit_test(foreign),
		cmocka_unit_test(memory),
		cmocka_unit_test(sha),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
