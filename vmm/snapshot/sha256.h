/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4), because lib/digest.h stands on libcrypto: linked into the static monitor, that costs each VM 2.6 MiB of memory of its
 * own and the first digest a millisecond (measured: 1,060 us and 3,364 KiB beside 90 us and 708 KiB for a state file), and a clone is to cost less
 * than 1.5 MiB. Nothing secret is digested: it tells a file that is damaged, or another, from the one that was written. The unit test has FIPS'
 * own example, and each snapshot's digests can be checked by any other program.
 */
#ifndef VMM_SNAPSHOT_SHA256_H
#define VMM_SNAPSHOT_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, uint8_t digest[SHA256_BYTES]);

#endif
