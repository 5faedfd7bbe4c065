/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the program: mapping it (and its interpreter), the first stack, the first registers. */
#ifndef LIBOS_EXEC_EXEC_H
#define LIBOS_EXEC_EXEC_H

struct args;
struct regs;

/* Maps the program that args name and fills regs for its first instruction. 0 or -errno (-ENOEXEC: not for this machine);
 * a line on the console says what is wrong. Called once, with an empty address space. */
int exec_load(const struct args *args, struct regs *regs);

#endif
