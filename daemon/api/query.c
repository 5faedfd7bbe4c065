/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/query.h"

#include "daemon/api/answer.h"

#include <errno.h>
#include <string.h>

#define SECONDS_MAX 3600.0

static bool refuse(struct httpd_req *req, const char *name, const char *wanted)
{
	struct check c = {.pointer = ""};

	check_fail(&c, name, NULL, "%s: %s is wanted", name, wanted);
	answer_check(req, &c);
	return false;
}

bool query_bool(struct httpd_req *req, const char *name, bool *out)
{
	const char *text = httpd_query(req, name);

	if (!text)
		return true;
	if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || !*text)
		*out = true;
	else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
		*out = false;
	else
		return refuse(req, name, "true or false");
	return true;
}

bool query_long(struct httpd_req *req, const char *name, long min, long max, long *out)
{
	const char *text = httpd_query(req, name);
	char wanted[80], *end;
	long value;

	if (!text)
		return true;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max) {
		snprintf(wanted, sizeof(wanted), "an integer from %ld to %ld", min, max);
		return refuse(req, name, wanted);
	}
	*out = value;
	return true;
}

bool query_seconds(struct httpd_req *req, const char *name, int64_t *out_ns)
{
	const char *text = httpd_query(req, name);
	double value;
	char *end;

	if (!text)
		return true;
	value = strspn(text, "0123456789.") == strlen(text) ? strtod(text, &end) : -1;
	if (!(value >= 0 && value <= SECONDS_MAX) || !*text || *end)
		return refuse(req, name, "a number of seconds from 0 to 3600");
	*out_ns = (int64_t)(value * (double)NS_PER_S);
	return true;
}

bool query_word(struct httpd_req *req, const char *name, const char *const *words, int *out)
{
	const char *text = httpd_query(req, name);
	char wanted[160] = "one of";
	size_t n = strlen(wanted);

	if (!text)
		return true;
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return true;
		}
		if (n < sizeof(wanted))
			n += (size_t)snprintf(
				wanted + n, sizeof(wanted) - n, "%s %s", i ? "," : "", words[i]);
	}
	return refuse(req, name, wanted);
}
