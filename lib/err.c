/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* Never 0, whatever the caller took for a code: a failure must not pass for success. */
static int positive(int code)
{
	return code > 0 ? code : EINVAL;
}

int(err_set)(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	code = positive(code);
	if (!err)
		return -code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return -code;
}

int(err_sys)(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	code = positive(code);
	if (!err)
		return -code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror(code));
	return -code;
}

int(err_prefix)(struct err *err, const char *fmt, ...)
{
	char old[ERR_MSG_BYTES];
	va_list ap;
	size_t n;

	if (!err)
		return -EINVAL;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", old);
	return -positive(err->code);
}
