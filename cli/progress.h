/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a long command is doing, on stderr: one line that changes on a terminal; lines for people (plain) or programs (json) elsewhere, when
 * they are asked for.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

struct args;

/* --progress: auto (tty on a terminal, else none), tty, plain, json (an object with step, unit, done and total a line), none. */
void progress_init(const struct args *args);
/* A step begins. */
void progress_step(const char *what);
/* How far it is: done of total (0: nobody knows) units. plain says nothing of it. */
void progress_at(const char *unit, uint64_t done, uint64_t total);
/* No step any more: what comes next on stderr begins a line. */
void progress_end(void);

#endif
