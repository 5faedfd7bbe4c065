/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter system check: every probe of cli/check.c, a line each. Exit status 1 when one fails; warnings are none. */
#include "cli/check.h"
#include "cli/verb.h"

#include <stdlib.h>

static const char *colour(enum verdict v)
{
	const char *no_color = getenv("NO_COLOR");

	if (!isatty(STDOUT_FILENO) || (no_color && *no_color))
		return "";
	return v == CHECK_PASS ? "\033[32m" : v == CHECK_WARN ? "\033[33m" : "\033[31m";
}

static void print_finding(const struct probe *p, const struct finding *f)
{
	const char *on = colour(f->verdict);

	printf("%s%s%s  %-14s  %s", on, verdict_name(f->verdict), *on ? "\033[0m" : "", p->name,
		f->text);
	if (*f->remedy)
		printf(" -> %s", f->remedy);
	putchar('\n');
}

static json_t *finding_json(const struct probe *p, const struct finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "check", p->name, "verdict",
		verdict_name(f->verdict), "detail", f->text, "remedy", f->remedy);
}

int cmd_system_check(const struct invocation *inv)
{
	json_t *all _cleanup_json_ = json_array();
	struct format format = {0};
	struct asked manager _cleanup_(asked_fini) = {0};
	struct err err = {0};
	int status = EXIT_OK, print_status = EXIT_OK;

	if (format_init(&format, inv->args, false, &err))
		return complain(EXIT_USAGE, "%s", err.msg);
	asked_init(&manager, inv->host);
	for (size_t i = 0; i < nprobes; i++) {
		struct finding f = {0};

		probes[i].fn(&f, &manager);
		if (f.verdict == CHECK_FAIL)
			status = EXIT_FAILED;
		if (format.mode == FORMAT_TABLE)
			print_finding(&probes[i], &f);
		else
			json_array_append_new(all, finding_json(&probes[i], &f));
	}
	if (format.mode != FORMAT_TABLE)
		print_status = verb_print_items(&format, all);
	else if (format_flush(&err))
		print_status = complain(EXIT_FAILED, "%s", err.msg);
	return print_status != EXIT_OK ? print_status : status;
}
