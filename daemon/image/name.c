/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/image/name.h"

#include "lib/digest.h"

#include <string.h>

#define DIGEST_DIGITS_MIN 8
#define LATEST            ":latest"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Length of the valid part at p; 0: none. */
static size_t part_length(const char *p)
{
	size_t n = 0;

	if (!is_alnum(*p))
		return 0;
	while (is_alnum(p[n]) || p[n] == '.' || p[n] == '_' || p[n] == '-')
		n++;
	return n <= NAME_MAX_BYTES ? n : 0;
}

bool name_is_valid(const char *name)
{
	size_t n = part_length(name);

	return n > 0 && !name[n];
}

bool image_name_is_valid(const char *name)
{
	const char *p = name;

	if (strlen(name) > IMAGE_NAME_MAX_BYTES)
		return false;
	for (;;) {
		size_t n = part_length(p);

		if (!n)
			return false;
		p += n;
		if (*p == '/')
			p++;
		else if (*p == ':')
			return name_is_valid(p + 1);
		else
			return !*p;
	}
}

size_t image_name_length(const char *name)
{
	size_t n = strlen(name), m = strlen(LATEST);

	return n > m && strcmp(name + n - m, LATEST) == 0 ? n - m : n;
}

bool image_name_equal(const char *a, const char *b)
{
	size_t n = image_name_length(a);

	return n == image_name_length(b) && strncmp(a, b, n) == 0;
}

bool image_is_digest(const char *reference)
{
	size_t prefix = strlen(DIGEST_PREFIX), n;

	if (strncmp(reference, DIGEST_PREFIX, prefix) != 0)
		return false;
	n = strspn(reference + prefix, "0123456789abcdef");
	return n >= DIGEST_DIGITS_MIN && n <= DIGEST_HEX_BYTES && !reference[prefix + n];
}

void image_name_encode(const char *name, char *out)
{
	for (; *name; name++)
		*out++ = *name == '/' ? '+' : *name;
	*out = '\0';
}

bool image_name_decode(const char *file, size_t len, char *out)
{
	if (len > IMAGE_NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = file[i] == '+' ? '/' : file[i];
	out[len] = '\0';
	return image_name_is_valid(out);
}
