/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of /proc/self that a program sets and reads back (proc(5)). They have no effect here: there is no other process that could be
 * killed instead, and no core file.
 */
#include "libos/fs/procfs.h"
#include "libos/klib/errno.h"

#define OOM_SCORE_MAX 1000
#define OOM_ADJ_MAX   15
#define OOM_DISABLE   (-17)

static int oom_score_adj;
static unsigned coredump_filter = 0x33;

/* A number as the kernel's own files take it: blanks around it, an optional sign, base 10 or 16 (0x). 0 or -EINVAL. */
static int number_from(const char *buf, size_t len, bool hex_ok, long *value)
{
	const char *p = buf, *end = buf + len;
	bool minus = false, hex = false, digits = false;
	long v = 0;

	while (end > p && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	while (p < end && *p == ' ')
		p++;
	if (p < end && (*p == '-' || *p == '+'))
		minus = *p++ == '-';
	if (hex_ok && end - p > 2 && p[0] == '0' && p[1] == 'x') {
		hex = true;
		p += 2;
	}
	for (; p < end; p++, digits = true) {
		int digit = *p >= '0' && *p <= '9'      ? *p - '0'
			: hex && *p >= 'a' && *p <= 'f' ? *p - 'a' + 10
							: -1;

		if (digit < 0 || v > INT32_MAX)
			return -EINVAL;
		v = v * (hex ? 16 : 10) + digit;
	}
	*value = minus ? -v : v;
	return digits ? 0 : -EINVAL;
}

int proc_oom_score(struct text *t, uint64_t n)
{
	text_printf(t, "%d\n",
		oom_score_adj <= -OOM_SCORE_MAX ? 0 : (OOM_SCORE_MAX + oom_score_adj) * 2 / 3);
	return 0;
}

int proc_oom_score_adj(struct text *t, uint64_t n)
{
	text_printf(t, "%d\n", oom_score_adj);
	return 0;
}

int proc_oom_score_adj_write(const char *buf, size_t len, uint64_t n)
{
	long v;

	if (number_from(buf, len, false, &v) < 0 || v < -OOM_SCORE_MAX || v > OOM_SCORE_MAX)
		return -EINVAL;
	oom_score_adj = (int)v;
	return 0;
}

/* The old scale of -17 (never) to 15. */
int proc_oom_adj(struct text *t, uint64_t n)
{
	text_printf(t, "%d\n",
		oom_score_adj == OOM_SCORE_MAX ? OOM_ADJ_MAX
					       : oom_score_adj * -OOM_DISABLE / OOM_SCORE_MAX);
	return 0;
}

int proc_oom_adj_write(const char *buf, size_t len, uint64_t n)
{
	long v;

	if (number_from(buf, len, false, &v) < 0 || v < OOM_DISABLE || v > OOM_ADJ_MAX)
		return -EINVAL;
	oom_score_adj = (int)(v == OOM_ADJ_MAX ? OOM_SCORE_MAX : v * OOM_SCORE_MAX / -OOM_DISABLE);
	return 0;
}

int proc_coredump_filter(struct text *t, uint64_t n)
{
	text_printf(t, "%08x\n", coredump_filter);
	return 0;
}

int proc_coredump_filter_write(const char *buf, size_t len, uint64_t n)
{
	long v;

	if (number_from(buf, len, true, &v) < 0)
		return -EINVAL;
	coredump_filter = (unsigned)v & 0x1ff;
	return 0;
}
