/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

const struct uig_bootinfo *bootinfo;

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *to, int byte, size_t n)
{
	for (volatile uint8_t *p = to; n > 0; n--)
		*p++ = (uint8_t)byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	volatile uint8_t *p = to;

	for (const uint8_t *q = from; n > 0; n--)
		*p++ = *q++;
	return to;
}

void guest_debug(const char *text)
{
	for (; *text; text++)
		platform_write(UIG_REG_DEBUG, (uint8_t)*text);
}

void guest_exit(enum uig_exit_kind kind, uint32_t code)
{
	platform_write(UIG_REG_EXIT, UIG_EXIT(kind, code));
	for (;;)
		;
}

void guest_fail(const char *file, int line)
{
	char digits[12];
	unsigned n = sizeof(digits);

	digits[--n] = '\0';
	for (int rest = line; rest > 0; rest /= 10)
		digits[--n] = (char)('0' + rest % 10);
	guest_debug("CHECK failed: ");
	guest_debug(file);
	guest_debug(" line ");
	guest_debug(digits + n);
	guest_debug("\n");
	guest_exit(UIG_EXIT_CODE, 1);
}

struct uig_identity *guest_identity(void)
{
	return guest_ptr(bootinfo->identity);
}

/* The length of the match, 0 when line does not begin with word. */
static size_t match(const char *line, const char *word)
{
	size_t n;

	for (n = 0; word[n]; n++) {
		if (line[n] != word[n])
			return 0;
	}
	return line[n] == ' ' || line[n] == '\0' ? n : 0;
}

bool guest_has_word(const char *word)
{
	for (const char *p = guest_identity()->args; *p; p++) {
		if (*p == ' ' && match(p + 1, word))
			return true;
	}
	return false;
}

static void test_exit(void)
{
	guest_exit(UIG_EXIT_CODE, 42);
}

static void test_signal(void)
{
	guest_exit(UIG_EXIT_SIGNAL, 11);
}

static void test_panic(void)
{
	guest_exit(UIG_EXIT_PANIC, 0);
}

static void test_triple(void)
{
	__asm__ volatile("ud2"); /* the IDT is empty */
}

static void test_spin(void)
{
	platform_write(UIG_REG_MILESTONE, UIG_MS_LISTEN);
	for (;;)
		__asm__ volatile("pause");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"entry", test_entry},
	{"wait", test_wait},
	{"idle", test_idle},
	{"term", test_term},
	{"console", test_console},
	{"flood", test_flood},
	{"milestones", test_milestones},
	{"mmio", test_mmio},
	{"negotiate", test_negotiate},
	{"wild", test_wild},
	{"netecho", test_netecho},
	{"block", test_block},
	{"block-reset", test_block_reset},
	{"rng", test_rng},
	{"exit", test_exit},
	{"signal", test_signal},
	{"panic", test_panic},
	{"triple", test_triple},
	{"spin", test_spin},
	{"upcall", test_upcall},
	{"held", test_held},
};

void guest_main(const struct uig_bootinfo *info)
{
	bootinfo = info;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (match(guest_identity()->args, tests[i].name)) {
			tests[i].run();
			guest_exit(UIG_EXIT_CODE, 0);
		}
	}
	guest_debug("no such test\n");
	guest_exit(UIG_EXIT_CODE, 99);
}
