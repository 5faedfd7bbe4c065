/* SPDX-License-Identifier: Apache-2.0 */
/* How a program ended, of monitors that do not know: the libOS says so in its last console line, "uigniter-exit kind=K code=N". */
#ifndef DAEMON_MONITOR_EXIT_LINE_H
#define DAEMON_MONITOR_EXIT_LINE_H

struct shell;

/* Fills shell->exit from that line, or from how the process of WHO ended (struct monitor_ops, ended). */
void exit_line_take(struct shell *shell, const char *who, int how, int status);

#endif
