/* SPDX-License-Identifier: Apache-2.0 */
/* Restartable sequences: registration by the C library or by oneself, and refusals. */
#include "tests/guest/guest.h"

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t cs;
	uint32_t flags, node, mm_cid, pad;
} __attribute__((aligned(32)));
static struct area other;
int main(void)
{
	long r = syscall(SYS_rseq, &other, 32, 0, 0x53053053);

	/* Registered already by the C library (EINVAL for another address), or taken now. */
	ASK(r == 0 || errno == EINVAL || errno == EBUSY || errno == ENOSYS);
	if (r == 0)
		ASK(other.cpu_id < 4096 && other.cpu_id_start == other.cpu_id);
	SHOW(syscall(SYS_rseq, (char *)&other + 4, 32, 0, 0x53053053) == -1);
	SHOW(syscall(SYS_rseq, BAD_KERNEL, 32, 0, 0x53053053) == -1);
	ASK(sched_getcpu() >= 0);
	return 0;
}
