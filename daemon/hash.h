/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a of 64 bits: whether two texts are the same ones. No protection from somebody who looks for two that collide. */
#ifndef DAEMON_HASH_H
#define DAEMON_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Of what came before and of this. */
static inline uint64_t hash_more(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return hash;
}

static inline uint64_t hash_bytes(const char *bytes, size_t len)
{
	return hash_more(0xcbf29ce484222325u, bytes, len);
}

#endif
