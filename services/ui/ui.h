/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of ui share. */
#ifndef SERVICES_UI_UI_H
#define SERVICES_UI_UI_H

#include "services/common/image_form.h"
#include "services/common/service.h"

#define UI_HTML    "text/html; charset=utf-8"
#define UI_MASTER  "masterendpoint"
#define UI_CALL_MS 20000
#define UI_WAIT_MS 80000 /* of a long poll: longer than master lets one wait */
#define UI_IDS_MAX 100

struct ui_stream;
struct pending;

struct ui {
	struct service *s;
	struct image_budget budget;
	unsigned int views;        /* pictures and pages that are held, see relay.c */
	struct pending *waits;     /* long polls */
	struct ui_stream *streams; /* open ones, see events.c */
	unsigned int stream_count;
	uint64_t events;
};

static inline struct ui *ui_of(const struct httpd_req *req)
{
	return service_of(req)->data;
}

/* GET /events?ids=1,2: the states of tasks as they change, as server-sent events; "end" when none can change by itself. */
void ui_on_events(struct httpd_req *req);
/* Ends all streams. */
void ui_events_drain(struct ui *ui);

#endif
