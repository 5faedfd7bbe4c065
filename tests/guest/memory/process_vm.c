/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_readv and process_vm_writev on oneself. */
#include "tests/guest/guest.h"

#include <sys/uio.h>

#define READ(n, m) syscall(SYS_process_vm_readv, getpid(), to, n, from, m, 0)
int main(void)
{
	char a[8] = "abcdefg", b[8] = "", c[] = "xyz", *p;
	struct iovec xyz = {c, 4};
	struct iovec to[2] = {{b, 4}, {b + 4, 4}}, from[2] = {{a, 8}, {BAD_PTR, 8}},
		     good[1] = {{a, 8}};

	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	SHOW(READ(2, 1));
	say("%s\n", b);
	SHOW(READ(2, 2));
	from[0] = (struct iovec){BAD_PTR, 8};
	SHOW(READ(2, 1));
	from[0] = (struct iovec){BAD_KERNEL, 8};
	SHOW(READ(2, 1));
	SHOW(syscall(SYS_process_vm_writev, getpid(), &xyz, 1, (&(struct iovec){a, 8}), 1, 0));
	say("%s\n", a);
	SHOW(syscall(SYS_process_vm_writev, getpid(), &xyz, 1, (&(struct iovec){p, 8}), 1, 0));
	SHOW(syscall(SYS_process_vm_readv, getpid(), to, 2, from, 1, 1));
	SHOW(syscall(SYS_process_vm_readv, 999999, to, 2, good, 1, 0));
	SHOW(syscall(SYS_process_vm_readv, getpid(), BAD_PTR, 2, from, 1, 0));
	SHOW(syscall(SYS_process_vm_readv, getpid(), to, 2, BAD_PTR, 1, 0));
	SHOW(syscall(SYS_process_vm_readv, getpid(), to, 2000, from, 1, 0));
	SHOW(syscall(SYS_process_vm_readv, getpid(), to, 0, from, 0, 0));
	return 0;
}
