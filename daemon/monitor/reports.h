/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports that monitors write while their VMs run: the kernel tells when one has changed (inotify(7)), so that nobody has to read it to know
 * that there is nothing new in it. A monitor may have been taken over by its guest and write all the time: what changes is looked
 * at REPORTS_CALM_NS later, once.
 *
 *   report_watch() -> WATCHED --written to--> CALM --REPORTS_CALM_NS--> fn() -> WATCHED -> ... -> report_forget()
 */
#ifndef DAEMON_MONITOR_REPORTS_H
#define DAEMON_MONITOR_REPORTS_H

#include "lib/util.h"

#define REPORTS_CALM_NS (10 * NS_PER_MS)

struct loop;
struct report;
struct reports;

/* 0 or -errno: -EMFILE when the user has too many inotify descriptors. */
int reports_new(struct loop *loop, struct reports **reports);
/* All are forgotten. NULL is fine. */
void reports_free(struct reports *reports);

/* fn is called from the loop after the file was written to, and may not forget it. The file is removed by the caller, soon after it was forgotten;
 * the kernel's watch goes with it. reports NULL: -ENOTSUP. 0 or -errno. */
typedef void report_fn(void *arg);
int report_watch(struct reports *reports, const char *path, report_fn *fn, void *arg,
	struct report **report);
void report_forget(struct report *report); /* NULL is fine */

#endif
