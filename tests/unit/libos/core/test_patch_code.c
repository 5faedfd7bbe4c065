/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/libos/core/core.h"

#include "libos/arch/x86_64/patch_code.c"

#define CODE 0x7f0000001000ull /* the page's address */
#define STUB 0x7effffff0020ull

static uint8_t page[4096];
static struct patch_site site;

static enum patch_kind recognize(
	unsigned off, const char *bytes, size_t n, unsigned at, uint64_t rax)
{
	memset(page, 0x90, sizeof(page));
	memcpy(page + off, bytes, n);
	return patch_recognize(&site, page, CODE + off + at, rax);
}
#define RECOGNIZE(off, bytes, at, rax) recognize(off, bytes, sizeof(bytes) - 1, at, rax)

static int64_t displacement(const uint8_t *p)
{
	int32_t rel;

	memcpy(&rel, p, sizeof(rel));
	return rel;
}

static void mov_becomes_jump(void **state)
{
	uint8_t code[8], stub[PATCH_STUB_BYTES];

	assert_int_equal(RECOGNIZE(100, "\xb8\x27\0\0\0\x0f\x05\xc3", 5, 39), PATCH_MOV);
	assert_int_equal(site.start, CODE + 100);
	assert_int_equal(patch_site_bytes(site.kind), 7);
	assert_memory_equal(site.old, "\xb8\x27\0\0\0\x0f\x05", 7);
	patch_encode_site(code, &site, STUB);
	assert_int_equal(code[0], 0xe9);
	assert_int_equal(site.start + 5 + displacement(code + 1), STUB);
	assert_memory_equal(code + 5, "\x06\x06", 2);
	patch_encode_stub(stub, &site, STUB, STUB - 0x20);
	assert_memory_equal(stub, "\xb8\x27\0\0\0\x48\x8d\x0d", 8);
	assert_int_equal(
		STUB + 12 + displacement(stub + 8), site.start + 7); /* RCX: behind the call */
	assert_memory_equal(stub + 12, "\x49\x89\xcb\xff\x25", 5);
	assert_int_equal(STUB + 21 + displacement(stub + 17), STUB - 0x20);
	assert_int_equal(patch_continue(&site, STUB), site.start + 7);
	for (unsigned i = 0; i < 21; i++)
		assert_int_equal(patch_true_address(&site, i), site.start);
}

static void cmp_moves_into_stub(void **state)
{
	uint8_t code[8], stub[PATCH_STUB_BYTES];

	assert_int_equal(RECOGNIZE(64, "\x0f\x05\x48\x3d\x01\xf0\xff\xff\x73", 0, 1), PATCH_CMP);
	assert_int_equal(site.start, CODE + 64);
	assert_int_equal(patch_site_bytes(site.kind), 8);
	patch_encode_site(code, &site, STUB);
	assert_memory_equal(code, "\xeb\x01\x06\xe9", 4);
	assert_int_equal(site.start + 8 + displacement(code + 4), STUB);
	patch_encode_stub(stub, &site, STUB, STUB - 0x20);
	assert_memory_equal(stub, "\x48\x8d\x0d", 3);
	assert_int_equal(STUB + 7 + displacement(stub + 3), site.start + 2);
	assert_int_equal(STUB + 14 + displacement(stub + 10), STUB + 20); /* R11: the way back */
	assert_memory_equal(stub + 20, "\x48\x3d\x01\xf0\xff\xff\xe9", 7);
	assert_int_equal(STUB + 31 + displacement(stub + 27), site.start + 8);
	assert_int_equal(patch_continue(&site, STUB), STUB + 20);
	assert_int_equal(patch_true_address(&site, 0), site.start);
	assert_int_equal(patch_true_address(&site, 14), site.start);
	assert_int_equal(patch_true_address(&site, 20), site.start + 2);
	assert_int_equal(patch_true_address(&site, 26), site.start + 8);
}

/* What ends in b8 NR 00 00 00 and is no mov, or may be none. */
static void doubtful_is_refused(void **state)
{
	assert_int_equal(RECOGNIZE(100, "\xb8\x27\0\0\0\x0f\x05", 5, 40), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\xb8\x00\x02\0\0\x0f\x05", 5, 512), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x41\xb8\x08\0\0\0\x0f\x05", 6, 8), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x8d\xb8\x08\0\0\0\x0f\x05", 6, 8), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x0f\x1f\xb8\x08\0\0\0\x0f\x05", 7, 8), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x64\x8b\xb8\x08\0\0\0\x0f\x05", 7, 8), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x8b\x84\xb8\x08\0\0\0\x0f\x05", 7, 8), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\xc7\x45\xb8\x03\0\0\0\x0f\x05", 7, 3), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\xc7\x44\x24\xb8\x03\0\0\0\x0f\x05", 8, 3), PATCH_NONE);
	assert_int_equal(
		RECOGNIZE(100, "\xc7\x85\x00\xff\xff\xb8\x03\0\0\0\x0f\x05", 10, 3), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 7, 15), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x0f\x05\xc3", 0, 1), PATCH_NONE);
	assert_int_equal(RECOGNIZE(100, "\x0f\x06", 0, 1), PATCH_NONE);
}

/* Both ends of a page: neither kind crosses it, and nothing outside is read. */
static void pages_are_not_crossed(void **state)
{
	static const char cmp[] = "\x0f\x05\x48\x3d\x01\xf0\xff\xff";

	assert_int_equal(recognize(4088, cmp, 8, 0, 1), PATCH_CMP);
	assert_int_equal(recognize(4089, cmp, 7, 0, 1), PATCH_NONE);
	assert_int_equal(recognize(4094, cmp, 2, 0, 1), PATCH_NONE);
	memset(page, 0x0f, sizeof(page));
	assert_int_equal(patch_recognize(&site, page, CODE + 4095, 1), PATCH_NONE);
	assert_int_equal(RECOGNIZE(7, "\xb8\x27\0\0\0\x0f\x05", 5, 39), PATCH_MOV);
	assert_int_equal(RECOGNIZE(6, "\xb8\x27\0\0\0\x0f\x05", 5, 39), PATCH_NONE);
	assert_int_equal(RECOGNIZE(0, "\x27\0\0\0\x0f\x05", 4, 39), PATCH_NONE);
	assert_int_equal(RECOGNIZE(0, "\x0f\x05", 0, 39), PATCH_NONE);
}

static void reach(void **state)
{
	assert_int_equal(RECOGNIZE(100, "\xb8\x27\0\0\0\x0f\x05\xc3", 5, 39), PATCH_MOV);
	assert_true(patch_reaches(&site, site.start - 0x7f000000));
	assert_false(patch_reaches(&site, site.start - 0x80000000ull));
	assert_false(patch_reaches(&site, 0x400000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mov_becomes_jump),
		cmocka_unit_test(cmp_moves_into_stub),
		cmocka_unit_test(doubtful_is_refused),
		cmocka_unit_test(pages_are_not_crossed),
		cmocka_unit_test(reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
