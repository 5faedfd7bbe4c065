/* SPDX-License-Identifier: Apache-2.0 */
/* What a long command is doing, on stderr: one line that changes on a terminal, lines elsewhere when they are asked for. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

struct args;

/* --progress: auto (a terminal only), plain, none. */
void progress_init(const struct args *args);
/* A step begins. */
void progress_step(const char *what);
/* No step any more: what comes next on stderr begins a line. */
void progress_end(void);

#endif
