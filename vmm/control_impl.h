/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST interface inside: what the files of control.h share. A handler answers 204, 200 with JSON, or 400 with a fault_message, in
 * Firecracker's words where it has some.
 */
#ifndef VMM_CONTROL_IMPL_H
#define VMM_CONTROL_IMPL_H

#include "lib/httpd.h"
#include "lib/jsonx.h"
#include "vmm/config.h"
#include "vmm/control.h"

#define CONTROL_WAIT_MAX_MS 3600000
#define CONTROL_NOT_BEFORE  "The requested operation is not supported before starting the microVM."
#define CONTROL_NOT_AFTER   "The requested operation is not supported after starting the microVM."
#define CONTROL_BAD_BODY    "An error occurred when deserializing the json body of a request: "

struct waiter;
struct snapshot_behind;

struct control {
	struct control_config config;
	struct httpd *httpd;
	struct waiter *waiters; /* control_wait.c */
	/* control_snapshot.c */
	struct snapshot_behind *behind; /* owned; a snapshot that is being written; NULL: none */
	struct httpd_req *behind_req;   /* who waits for that; NULL: gone */
	struct snapshot_files behind_files; /* for the answer */
	uint64_t stood_ns;
};

/* --- control.c: answers ------------------------------------------------------------------------------------------- */
struct vm *control_vm(struct httpd_req *req);
/* 400 with both texts, one behind the other. */
void control_fault(struct httpd_req *req, const char *what, const char *msg);
/* The same with the errno, our addition to Firecracker's answer: the host says no (a disk that is full, no memory), and who made the files
 * wants to tell that from a fault of the request. */
void control_fault_errno(struct httpd_req *req, const struct err *err);
/* 200; takes body, which may be NULL (no memory). */
void control_reply(struct httpd_req *req, json_t *body);
/* 204, or the fault when r is negative. */
void control_done(struct httpd_req *req, int r, const struct err *err);
/* The body as an object, new reference; NULL when the answer (400) has been given. An empty body is {} if allowed. */
json_t *control_body(struct httpd_req *req, bool empty_ok);

/* --- handlers ------------------------------------------------------------------------------------------------------ */
/* control_config.c */
httpd_fn control_get_instance, control_get_version, control_get_machine, control_get_config;
httpd_fn control_set_machine, control_put_boot_source, control_put_net, control_put_drive;
httpd_fn control_patch_drive, control_put_entropy, control_put_vsock;
/* control_run.c */
httpd_fn control_put_prepare, control_put_start, control_put_action, control_patch_vm;
httpd_fn control_put_stop, control_get_status;
/* control_snapshot.c */
httpd_fn control_put_snapshot_create, control_put_snapshot_load, control_put_record;
/* The machine has ended, so whoever waits for a snapshot of it is told. */
void control_snapshot_ended(struct control *c);
/* control_wait.c */
httpd_fn control_get_wait;

#endif
