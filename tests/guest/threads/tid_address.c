/* SPDX-License-Identifier: Apache-2.0 */
/* set_tid_address, gettid, and the robust list's address. */
#include "tests/guest/guest.h"

int main(void)
{
	int word = 5, tid = (int)syscall(SYS_gettid);
	void *head = NULL;
	size_t len = 0;

	ASK(syscall(SYS_set_tid_address, &word) == tid);
	ASK(syscall(SYS_set_tid_address, BAD_PTR) == tid); /* looked at only at the end */
	ASK(tid == getpid());
	RAW(get_robust_list, 0, &head, &len);
	say("%zu\n", len);
	RAW(set_robust_list, head, 23);
	RAW(set_robust_list, head, 24);
	RAW(set_robust_list, BAD_PTR, 24);
	RAW(set_robust_list, head, 24);
	RAW(get_robust_list, 0, BAD_PTR, &len);
	RAW(get_robust_list, 0, &head, BAD_PTR);
	RAW(get_robust_list, 999999, &head, &len);
	return 0;
}
