/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/token.h"

#include "lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

int token_read(const char *path, char **token, struct err *err)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
	int fd _cleanup_close_ = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[TOKEN_MAX_BYTES + 2];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return err_sys(err, errno, "token file %s", path);
	if (st.st_mode & 0077)
		return err_set(err, EACCES, "token file %s: others may read it (chmod 600)", path);
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_sys(err, errno, "token file %s", path);
	text[n] = '\0';
	n -= n && text[n - 1] == '\n';
	text[n] = '\0';
	if (n < TOKEN_MIN_BYTES || n > TOKEN_MAX_BYTES || strspn(text, letters) != (size_t)n)
		return err_set(err, EINVAL,
			"token file %s: one line of %d to %d letters and digits is wanted", path,
			TOKEN_MIN_BYTES, TOKEN_MAX_BYTES);
	*token = strdup(text);
	return *token ? 0 : err_set(err, ENOMEM, "out of memory");
}

bool token_matches(const char *token, const char *authorization)
{
	static const char scheme[] = "Bearer ";
	const char *given = "";
	size_t want = strlen(token), have;
	volatile unsigned char differs;

	if (authorization && !strncasecmp(authorization, scheme, strlen(scheme)))
		given = authorization + strlen(scheme);
	have = strlen(given);
	differs = have != want;
	for (size_t i = 0; i < want; i++)
		differs |= (unsigned char)(token[i] ^ (have ? given[i % have] : 0));
	return !differs;
}
