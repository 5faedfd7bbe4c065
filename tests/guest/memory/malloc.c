/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of the C library under load from several threads: each block keeps its pattern. */
#include "tests/guest/guest.h"

#define SLOTS 256

static void *worker(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	struct {
		unsigned char *data;
		size_t len;
	} slot[SLOTS] = {0};
	long bad = 0;

	for (int i = 0; i < 20000; i++) {
		unsigned n;
		size_t len;

		seed = seed * 1664525u + 1013904223u;
		n = (seed >> 8) % SLOTS;
		len = (seed >> 16) % (i % 64 == 0 ? 300000 : 2000) + 1;
		if (slot[n].data && !all_bytes(slot[n].data, slot[n].len, (unsigned char)n))
			bad++;
		if (seed >> 31) {
			unsigned char *p = realloc(slot[n].data, len);

			NEED(p);
			slot[n].data = p;
			slot[n].len = len;
			memset(p, (int)n, len);
		} else {
			free(slot[n].data);
			slot[n].data = NULL;
		}
	}
	for (unsigned n = 0; n < SLOTS; n++)
		free(slot[n].data);
	return (void *)bad;
}

int main(void)
{
	volatile size_t too_many = 1ul << 62;
	pthread_t thread[4];
	long bad = (long)worker((void *)99);

	for (long i = 0; i < 4; i++)
		thread[i] = start_thread(worker, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(thread[i], &result);
		bad += (long)result;
	}
	say("%ld blocks damaged\n", bad);
	ASK(calloc(too_many, 4) == NULL);
	return 0;
}
