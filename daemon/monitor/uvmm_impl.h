/* SPDX-License-Identifier: Apache-2.0 */
/* Between uvmm.c (a shell's life) and uvmm_copy.c (copies of one that runs). */
#ifndef DAEMON_MONITOR_UVMM_IMPL_H
#define DAEMON_MONITOR_UVMM_IMPL_H

#include "daemon/monitor/monitor.h"
#include "daemon/volume.h"
#include "lib/httpc.h"

#define UVMM_START_TIMEOUT_MS 30000
#define UVMM_FILES_NAME       "files.sock" /* in the shell's folder: where the monitor gets files */

struct loop_timer;
struct report;

struct uvmm {
	char *socket, *report;       /* paths */
	char *working_set;           /* path of a file that all of this memory size share */
	char *start_body;            /* of the request under way */
	char *create_body;           /* of the one behind it */
	struct volume_files volumes; /* until it has opened them */
	struct httpc_call *call, *listen_call;
	struct report *watch; /* NULL: it is read at the end only */
	/* while it is copied (uvmm_copy.c) */
	struct httpc_call *copy_call;
	char *copy_body;
	struct err copy_err; /* of the copy; code 0: none so far */
	int64_t copy_from_ns;
	int64_t stood_ns;              /* as the monitor says; 0: it did not */
	struct loop_timer *copy_again; /* until it is told once more to go on */
};

int uvmm_request(struct shell *s, const char *method, const char *target, const char *body,
	unsigned timeout_ms, void (*done)(void *arg, const struct httpc_response *response),
	struct httpc_call **call);

/* Keeps shell->missing_calls up to date from now on. The monitor has made the file; written: and may have written to it. */
void uvmm_watch_report(struct shell *s, bool written);
/* Fills shell->exit: 0 when the report says why the VM ended. */
int uvmm_read_report(struct shell *s);

/* Binds the socket that the monitor inherits. The descriptor or -errno with err. */
int uvmm_files_socket(const struct shell *s, struct err *err);
int uvmm_copy(struct shell *s, const struct copy_spec *spec, shell_done_fn *done, void *arg,
	struct err *err);
void uvmm_go_on(struct shell *s);
void uvmm_copy_forget(struct shell *s); /* nothing of it is under way any more */

#endif
