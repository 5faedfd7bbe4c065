/* SPDX-License-Identifier: Apache-2.0 */
/* getrandom(2): never blocks, so GRND_NONBLOCK and GRND_RANDOM change nothing. */
#include "libos/klib/errno.h"
#include "libos/klib/random.h"
#include "libos/mem/uaccess.h"
#include "libos/sys/syscall.h"

#define GRND_NONBLOCK 1u
#define GRND_RANDOM   2u
#define GRND_INSECURE 4u
#define GRND_MAX      0x1ffffffull /* Linux gives at most 32 MiB - 1 a call */

long sys_getrandom(const uint64_t a[6])
{
	uptr_t buf = a[0];
	uint64_t len = a[1] < GRND_MAX ? a[1] : GRND_MAX;
	unsigned flags = (unsigned)a[2];
	uint64_t done = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	while (done < len) {
		uint8_t chunk[256];
		size_t n = len - done < sizeof(chunk) ? len - done : sizeof(chunk);

		random_bytes(chunk, n);
		if (copy_to_user(buf + done, chunk, n) < 0)
			return done ? (long)done : -EFAULT;
		done += n;
	}
	return (long)len;
}
