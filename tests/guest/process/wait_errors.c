/* SPDX-License-Identifier: Apache-2.0 */
/* wait4 and waitid without children, and what they refuse. */
#include "tests/guest/guest.h"

#include <sys/wait.h>

int main(void)
{
	siginfo_t info;
	int status;

	SHOW(wait(&status));
	SHOW(waitpid(-1, &status, WNOHANG));
	SHOW(waitpid(999999, &status, 0));
	SHOW(waitpid(-1, &status, 0x1000));
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	SHOW(waitid(P_ALL, 0, &info, 0));
	SHOW(waitid(77, 0, &info, WEXITED));
	SHOW(waitid(P_PID, 999999, &info, WEXITED | WNOHANG));
	SHOW(waitid(P_PID, 0, &info, WEXITED));
	return 0;
}
