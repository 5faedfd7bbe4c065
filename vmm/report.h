/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a VM: its status while it runs, and the report when it has ended. One JSON object, one line. */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

#include <jansson.h>

struct vm;

/* The same fields at any time; reason is null until the end. A new reference, or NULL. */
json_t *report_json(struct vm *vm, const char *id);

/* Writes the report as a line to fd (nothing when it is -1). */
void report_write(struct vm *vm, const char *id, int fd);
/* The same into a file that holds one report, in the place of the one before: who reads meanwhile finds it empty or cut. */
void report_replace(struct vm *vm, const char *id, int fd);
/* How many system calls the program has asked for in vain. */
unsigned report_missing(const struct vm *vm);

/* From here on SIGBUS (a file under guest memory was cut) ends the process with a report that says so. */
void report_on_sigbus(const char *id, int fd);

/* Exit status of the process: 0 when the VM ended by the guest's doing or was killed, 1 when the monitor failed. */
int report_exit_status(const struct vm *vm);

#endif
