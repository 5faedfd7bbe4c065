/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/digest.h"

#include "lib/util.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define PIECE_BYTES (256 * KIB)

struct digest {
	EVP_MD_CTX *ctx;
	bool failed; /* the library ran out of memory: no digest is better than a wrong one */
};

struct digest *digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL))
		return d;
	digest_free(d);
	return NULL;
}

void digest_free(struct digest *d)
{
	if (d)
		EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	d->failed |= !EVP_DigestUpdate(d->ctx, data, len);
}

void digest_end(struct digest *d, char text[DIGEST_TEXT_BYTES])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char *out = stpcpy(text, DIGEST_PREFIX);
	unsigned int n = 0;

	if (d->failed || !EVP_DigestFinal_ex(d->ctx, sum, &n) || n != DIGEST_HEX_BYTES / 2) {
		*text = '\0';
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		out += sprintf(out, "%02x", sum[i]);
}

bool digest_is_valid(const char *text)
{
	size_t prefix = strlen(DIGEST_PREFIX);

	return strncmp(text, DIGEST_PREFIX, prefix) == 0 &&
		strlen(text) == prefix + DIGEST_HEX_BYTES &&
		strspn(text + prefix, "0123456789abcdef") == DIGEST_HEX_BYTES;
}

int digest_fd(int fd, char text[DIGEST_TEXT_BYTES])
{
	struct digest *d _cleanup_(digest_freep) = digest_new();
	char *piece _cleanup_free_ = malloc(PIECE_BYTES);
	off_t at = 0;
	ssize_t n;

	if (!d || !piece)
		return -ENOMEM;
	while ((n = pread(fd, piece, PIECE_BYTES, at)) > 0) {
		digest_add(d, piece, (size_t)n);
		at += n;
	}
	if (n < 0)
		return -errno;
	digest_end(d, text);
	return *text ? 0 : -ENOMEM;
}
