/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/env.h"

#include <errno.h>
#include <stdlib.h>

const char *env_str(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

int env_int(
	const char *name, int64_t min, int64_t max, int64_t fallback, int64_t *out, struct err *err)
{
	const char *s = env_str(name);
	long long n;
	char *end;

	if (!s) {
		*out = fallback;
		return 0;
	}
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno || *end || n < min || n > max)
		return err_set(err, EINVAL,
			"%s must be a number between %lld and %lld, not \"%.40s\"", name,
			(long long)min, (long long)max, s);
	*out = n;
	return 0;
}
