/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes: a ChaCha20 generator (RFC 8439, section 2.3) with fast key erasure. Seeded at boot from the identity
 * page and RDRAND; seeded again whenever the identity's generation changes, so that two clones never share a stream. It never
 * blocks.
 */
#ifndef LIBOS_KLIB_RANDOM_H
#define LIBOS_KLIB_RANDOM_H

#include <stddef.h>

/* Goes up with each seeding: what was drawn before may be another instance's too. */
extern unsigned random_generation;

/* Mixes entropy (n bytes, may be 0) and RDRAND, where the CPU has it, into the state. Call at boot and at each generation. */
void random_seed(const void *entropy, size_t n);
void random_bytes(void *dst, size_t n);

#endif
